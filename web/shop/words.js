// The shop's own words for its comments. What the server refuses is shown beside the word; nothing is kept half.
import { errorText, nameOf, t } from "../shared/i18n.js";
import { call } from "../shared/api.js";
import { Sheet, html, toast, useEffect, useState } from "../shared/ui.js";

const LISTS = ["order", "cancel", "ignore"];
const list = (text) => text.split(/[,，、\n]/).map((one) => one.trim()).filter(Boolean);
const pairs = (text) => Object.fromEntries(list(text).map((one) => one.split(/[=＝→]/).map((sign) => sign.trim())).map(([sign, plain]) => [sign, plain ?? ""]));

export function WordsSheet({ products, onClose }) {
  const [words, setWords] = useState(null);
  const [warnings, setWarnings] = useState([]);
  const [problem, setProblem] = useState(null);
  const [alias, setAlias] = useState("");
  const [code, setCode] = useState("");
  const take = (answer) => {
    if (!answer.ok) return setProblem(answer.error);
    const { look_alikes: signs, ...rest } = answer.words;
    setWords({ ...rest, ...Object.fromEntries(LISTS.map((name) => [name, rest[name].join(", ")])), signs: Object.entries(signs).map((pair) => pair.join("=")).join(", ") });
    setProblem(null);
    return setWarnings(answer.warnings);
  };
  useEffect(() => {
    call("GET", "/api/words").then(take);
  }, []);
  const add = () => {
    setWords({ ...words, aliases: { ...words.aliases, [alias.trim()]: code } });
    setAlias("");
  };
  const remove = (name) => {
    const { [name]: ignored, ...rest } = words.aliases;
    setWords({ ...words, aliases: rest });
  };
  const save = async (event) => {
    event.preventDefault();
    const body = { ...Object.fromEntries(LISTS.map((name) => [name, list(words[name])])), look_alikes: pairs(words.signs), aliases: words.aliases, revision: words.revision };
    const answer = await call("PUT", "/api/words", body);
    take(answer);
    if (answer.ok) toast(t("shop.words_saved"));
  };
  const field = (name, label) => html`<label class="field"><span>${t(`shop.words_${label}`)}</span>
    <textarea class="input small" rows="2" value=${words[name]} placeholder=${t(`shop.words_${label}_example`)}
      onInput=${(event) => setWords({ ...words, [name]: event.currentTarget.value })}></textarea></label>`;
  const item = (wanted) => products.find((product) => product.code === wanted);
  return html`<${Sheet} title=${t("shop.words")} onClose=${onClose}><p class="muted">${t("shop.words_how")}</p>
    ${words && html`<form class="stack words" onSubmit=${save}>
      ${LISTS.map((name) => html`<div key=${name}>${field(name, name)}</div>`)}${field("signs", "look_alikes")}
      <h3>${t("shop.words_aliases")}</h3>
      <ul class="aliases">${Object.entries(words.aliases).map(([name, of]) => html`<li key=${name} class="row"><b class="grow cut">${name}</b>
        <span class="muted cut">${of}${item(of) ? ` ${nameOf(item(of))}` : ""}</span>
        <button class="btn small line" type="button" aria-label=${t("shop.words_alias_remove", { alias: name })} onClick=${() => remove(name)}>×</button></li>`)}</ul>
      ${Object.keys(words.aliases).length === 0 && html`<p class="muted">${t("shop.words_no_aliases")}</p>`}
      <div class="row wrap"><input class="input small grow" maxlength="20" value=${alias} aria-label=${t("shop.words_alias")} placeholder=${t("shop.words_alias")}
        onInput=${(event) => setAlias(event.currentTarget.value)} />
        <select class="input small" value=${code} aria-label=${t("shop.words_alias_of")} onChange=${(event) => setCode(event.currentTarget.value)}>
          <option value="">${t("shop.words_alias_of")}</option>${products.map((product) => html`<option key=${product.code} value=${product.code}>${product.code} ${nameOf(product)}</option>`)}</select>
        <button class="btn small line" type="button" disabled=${!alias.trim() || !code} onClick=${add}>${t("shop.words_alias_add")}</button></div>
      ${warnings.length > 0 && html`<div class="warnings"><b>${t("shop.words_warnings")}</b><ul>${warnings.map((one) => html`<li>${one.word}：${errorText({ code: "shop_word_refused", details: one })}</li>`)}</ul></div>`}
      ${problem && html`<p class="error" role="alert">${problem.details?.word ? `${problem.details.word}：` : ""}${errorText(problem)}</p>`}
      <button class="btn dark" type="submit">${t("shop.words_save")}</button></form>`}
    ${!words && (problem ? html`<p class="error" role="alert">${errorText(problem)}</p>` : html`<p class="muted" role="status">${t("common.connecting")}</p>`)}
  <//>`;
}
