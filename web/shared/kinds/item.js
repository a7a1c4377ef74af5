// The products and their counters.
import { addKind, put, without } from "../kinds.js";

addKind({
  name: "item",
  changes: {
    item: (state, event) => ({ ...state, items: put(state.items, event.item, "code") }),
    item_gone: (state, event) => ({ ...state, items: without(state.items, event.code, "code") }),
    stock: (state, event) => ({ ...state, stock: { ...state.stock, ...event.items } }),
  },
});
