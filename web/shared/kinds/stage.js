// The show begins and ends.
import { addKind } from "../kinds.js";

addKind({
  name: "stage",
  changes: {
    stage(state, event) {
      const started = event.stage === "live" && !state.show.started_ms ? { started_ms: event.at } : {};
      return { ...state, show: { ...state.show, stage: event.stage, ...started } };
    },
  },
});
