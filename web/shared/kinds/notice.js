// The notice above the chat.
import { addKind } from "../kinds.js";

addKind({ name: "notice", changes: { notice: (state, event) => ({ ...state, notice: event.text }) } });
