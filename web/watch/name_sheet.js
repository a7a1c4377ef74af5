// The sheet that asks for a name once: loaded with the first comment of somebody who has none.
import { errorText, t } from "../shared/i18n.js";
import { Sheet, html, useState } from "../shared/ui.js";
import { myName, setName, sheet } from "./room.js";

export function NameSheet({ onNamed }) {
  const [name, setLocal] = useState(myName());
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const wanted = name.trim();
    if (!wanted) return setError({ code: "name_empty" });
    const answer = await setName(wanted);
    if (!answer.ok) return setError(answer.error);
    return onNamed?.();
  };
  return html`<${Sheet} title=${t("watch.name_title")} onClose=${() => (sheet.value = null)}>
    <form class="name" onSubmit=${submit}>
      <label class="field"><span>${t("watch.name_label")}</span>
        <input class="input" value=${name} maxlength="20" autocomplete="nickname" autofocus enterkeyhint="done"
          onInput=${(event) => setLocal(event.currentTarget.value)} />
        </label>
      ${error && html`<p class="error" role="alert">${errorText(error)}</p>`}
      <button class="btn" type="submit">${t("watch.name_done")}</button>
    </form>
  <//>`;
}
