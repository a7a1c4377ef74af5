// The products and their counters.
import { addKind, put, without } from "../kinds.js";

addKind({
  name: "item",
  changes: {
    item(state, event) {
      const { [event.item.code]: _back, ...removed } = state.removed ?? {};
      return { ...state, items: put(state.items, event.item, "code"), ...(state.removed && { removed }) };
    },
    item_gone(state, event) {
      const gone = state.removed && state.items.find((one) => one.code === event.code); // staff alone: what it cost here
      const removed = gone && { ...state.removed, [gone.code]: { price_minor: gone.price_minor, compare_at_minor: gone.compare_at_minor } };
      return { ...state, items: without(state.items, event.code, "code"), ...(removed && { removed }) };
    },
    stock: (state, event) => ({ ...state, stock: { ...state.stock, ...event.items } }),
  },
});
