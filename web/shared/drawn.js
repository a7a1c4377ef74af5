// What stands in the picture's place while a show has sound alone: its shop and title over a calm wave, drawn here.
import { t } from "./i18n.js";
import { html } from "./ui.js";

const PERIOD = 320; // of the wave, on a field of 640: the animation moves it by one period, so that it has no seam
const STEP = 8;
const LINES = [
  { name: "far", height: 44, phase: 2.1 },
  { name: "mid", height: 32, phase: 1.1 },
  { name: "near", height: 22, phase: 0 },
];

/** A sine over three periods, one to each side of the field, around `y` 60. */
function wave(height, phase) {
  const points = [];
  for (let x = -PERIOD; x <= 640 + PERIOD; x += STEP) points.push(`${x} ${(60 + height * Math.sin((2 * Math.PI * x) / PERIOD + phase)).toFixed(1)}`);
  return `M${points.join("L")}`;
}

/** @param {{shop: string, title: string}} show */
export function Drawn({ shop, title }) {
  return html`<div class="drawn" role="img" aria-label=${`${t("common.sound_alone")}: ${shop}, ${title}`}>
    <p class="shop"><bdi>${shop}</bdi></p><p class="name"><bdi>${title}</bdi></p>
    <svg viewBox="0 0 640 120" preserveAspectRatio="xMidYMid slice" aria-hidden="true">${LINES.map(({ name, height, phase }) => html`<path key=${name} class=${name} d=${wave(height, phase)} />`)}</svg>
    <p class="only">${t("common.sound_alone")}</p></div>`;
}
