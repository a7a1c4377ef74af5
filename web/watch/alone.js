// A show with sound alone: the drawn picture in the place of the host's, loaded only then.
import { render } from "preact";
import { computed, effect, html, signal } from "../shared/ui.js";
import { live } from "./room.js";

/** The host is heard, and no camera sends. */
export const soundAlone = computed(() => live.media.value?.state === "live" && live.media.value.picture === false);

const drawing = signal(null);
const place = document.getElementById("drawn");
effect(() => {
  const on = soundAlone.value;
  document.body.classList.toggle("alone", on);
  if (on && !drawing.value) import("../shared/drawn.js").then((loaded) => (drawing.value = loaded.Drawn), () => {}); // the sound goes on without
  const show = live.show.value;
  render(on && drawing.value ? html`<${drawing.value} shop=${show.shop_name} title=${show.title} />` : null, place);
});
