// Lines that wait for a person; of staff's pages alone.
import { addKind, bare, put, without } from "../kinds.js";

addKind({
  name: "triage",
  changes: {
    triage: (state, event) => (state.triage ? { ...state, triage: put(state.triage, bare(event), "comment") } : state),
    triage_done: (state, event) => (state.triage ? { ...state, triage: without(state.triage, event.comment, "comment") } : state),
  },
});
