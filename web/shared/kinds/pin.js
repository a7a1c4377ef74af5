// The product on the card.
import { addKind, bare } from "../kinds.js";

addKind({ name: "pin", changes: { pin: (state, event) => ({ ...state, pin: bare(event) }) } });
