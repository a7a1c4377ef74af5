// JSON over HTTP. Answers are values: {ok: true, …body} or {ok: false, error}.
/** `key`: the request may be sent again under it and is done once (Idempotency-Key). */
export async function call(method, path, body, key = null) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 15_000); // longer than any answer of ours; a dead line must not hang a form
  try {
    const answer = await fetch(path, {
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
