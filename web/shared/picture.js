// A product's picture in the width it is shown in; where there is none, or it does not come, its code is drawn instead.
import { sitePath } from "./api.js";
import { html, useEffect, useRef, useState } from "./ui.js";

const WIDTHS = [320, 640, 1280]; // those that the server draws (catalogue/picture_sizes.py)
const OURS = /^(\/pictures\/[0-9a-f]{64})\.\w+$/;

/** What a browser chooses from, on a picture of ours; null for one of another site. */
export function srcsetOf(src) {
  const name = OURS.exec(src)?.[1];
  return name ? WIDTHS.map((width) => `${sitePath(name)}-${width}.webp ${width}w`).join(", ") : null;
}

/** `size`: its edge on the page in CSS pixels. */
export function Picture({ src, code, size, lazy = false }) {
  const [broken, setBroken] = useState(null);
  const image = useRef(null);
  useEffect(() => {
    // One that the server wrote into the page may have failed before anybody listened.
    if (image.current?.complete && src && image.current.naturalWidth === 0) setBroken(src);
  }, [src]);
  if (!src || broken === src) return html`<${Blank} code=${code} size=${size} />`;
  return html`<img ref=${image} class="pic" src=${sitePath(src)} srcset=${srcsetOf(src)} sizes=${`${size}px`} alt="" width=${size} height=${size}
    loading=${lazy ? "lazy" : "eager"} decoding="async" onError=${() => setBroken(src)} />`;
}

function Blank({ code, size }) {
  const letters = Math.max(2, [...code].length);
  return html`<svg class="pic blank" viewBox="0 0 100 100" width=${size} height=${size} aria-hidden="true">
    <text x="50" y="50" font-size=${Math.min(30, 140 / letters).toFixed(1)}>${code}</text></svg>`;
}
