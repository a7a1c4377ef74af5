// What the relay tells of the picture.
import { addKind, bare } from "../kinds.js";

addKind({ name: "media", changes: { media: (state, event) => ({ ...state, media: bare(event) }) } });
