// Staff log in here. Viewers never see this page: they need no account.
import { render } from "preact";
import { boot, errorText, t } from "../shared/i18n.js";
import { call, sitePath } from "../shared/api.js";
import { LanguageSwitch, html, useRef, useState } from "../shared/ui.js";

function Page() {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const password = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    const answer = await call("POST", "/api/login", { login: form.get("login").trim(), password: form.get("password") });
    if (answer.ok) return location.assign(sitePath(/^\/(?!\/)/.test(boot.next) ? boot.next : "/"));
    setBusy(false);
    setError(answer.error);
    password.current.select();
    return undefined;
  };
  return html`<form class="sheet-card" onSubmit=${submit}>
    <div class="stub" aria-hidden="true"><small>livecommerce</small>+1</div>
    <div class="body">
      <h1>${t("login.title")}</h1>
      <label class="field"><span>${t("login.login")}</span>
        <input class="input" name="login" required maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus />
        </label>
      <label class="field"><span>${t("login.password")}</span>
        <input ref=${password} class="input" name="password" type="password" required maxlength="200" autocomplete="current-password" /></label>
      ${error && html`<p class="error" role="alert">${errorText(error)}</p>`}
      <button class="btn" type="submit" disabled=${busy}>${t(busy ? "login.busy" : "login.go")}</button>
      <p class="row"><span class="muted grow">${t("login.hint")}</span><${LanguageSwitch} /></p>
    </div>
  </form>`;
}

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
