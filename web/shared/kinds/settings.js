// The rules of chat and claims.
import { addKind, bare } from "../kinds.js";

addKind({ name: "settings", changes: { settings: (state, event) => ({ ...state, settings: { ...state.settings, ...bare(event) } }) } });
