/** Where the site stands: "" at the root of its host, "/live" below it. This file is `<root>/static/shared/api.js`. */
export const root = new URL("../..", import.meta.url).pathname.slice(0, -1);
/** A path of ours as the browser must ask for it; other addresses as they are. */
export const sitePath = (path) => (/^\/(?!\/)/.test(path ?? "") ? root + path : path);
/** The page that is open, as a path of ours. */
export const here = () => location.pathname.slice(root.length);

// JSON over HTTP. Answers are values: {ok: true, …body} or {ok: false, error}.
/** What was refused with this may stand, or is refused for the moment: it is sent again under the id it had. */
export const mayStand = (error) => error.code === "no_answer" || error.number >= 5000;
/** `key`: the request may be sent again under it and is done once (Idempotency-Key). */
export async function call(method, path, body, key = null) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 15_000); // longer than any answer of ours; a dead line must not hang a form
  try {
    const answer = await fetch(sitePath(path), {
      method,
      headers: { ...(body !== undefined && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: abort.signal,
    });
    const shape = await answer.json().catch(() => ({}));
    if (answer.ok) return { ok: true, ...shape };
    return { ok: false, error: shape.error ?? { code: "internal", reason: answer.statusText } };
  } catch {
    return { ok: false, error: { code: "no_answer" } };
  } finally {
    clearTimeout(timer);
  }
}
