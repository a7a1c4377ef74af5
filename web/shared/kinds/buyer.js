// What moderators have set for viewers; a viewer hears of the own part.
import { addKind, bare, put } from "../kinds.js";

addKind({
  name: "buyer",
  changes: {
    buyer: (state, event) => (state.buyers ? { ...state, buyers: put(state.buyers, bare(event), "viewer") } : state),
    you: (state, event) => (state.me ? { ...state, me: { ...state.me, ...bare(event) } } : state),
  },
});
