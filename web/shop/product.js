// A new product for the catalogue. What the server warns of (codes that read as a size, names that collide) is shown before it is kept.
import { boot, errorText, knows, t } from "../shared/i18n.js";
import { call } from "../shared/api.js";
import { wholeNumber } from "../shared/number.js";
import { priceInput } from "../shared/price.js";
import { typedPrice } from "../shared/price_words.js";
import { Sheet, html, toast, useState } from "../shared/ui.js";

const AXES = [0, 1]; // colour and size cover what shops sell by comment; the API takes more
const list = (text) => text.split(/[，、\n]|(?<!\d),|,(?!\d)/) // "1,5 m" is one value
 .map((one) => one.trim()).filter(Boolean);

/** "紅色" or "紅色=紅=大紅" to a value with what viewers may also type; without a sign the server derives it. */
function optionValue(text) {
  const [value, ...short] = text.split("=").map((one) => one.trim());
  return short.length ? { value, short: short.filter(Boolean) } : { value };
}
/** Values as the field takes them, with their short names. */
const typed = (values) => values.map((one) => [one.value, ...one.short].join("=")).join(t("common.list_sign"));

function read(form) {
  const options = AXES.map((index) => ({ axis: form.get(`axis${index}`).trim(), values: list(form.get(`values${index}`)).map(optionValue) })).filter((one) => one.axis || one.values.length);
  return {
    code: form.get("code").trim(),
    names: list(form.get("names")),
    name_en: form.get("name_en").trim(),
    price_minor: typedPrice(form.get("price"), boot.staff.currency).minor,
    picture: form.get("picture").trim(),
    limit_per_viewer: wholeNumber(form.get("limit") || "0", 0, 10_000),
    options,
  };
}

/** What the server warns of, in words: which code, and what it clashes with. */
const warningText = (one) => (knows(`shop.warning_${one.reason}`) ? t(`shop.warning_${one.reason}`, { code: one.code, clash: one.clash }) : one.text);

export function ProductSheet({ onClose, onAdded }) {
  const [error, setError] = useState(null);
  const [warnings, setWarnings] = useState(null);
  const [shorts, setShorts] = useState(false); // short names were derived: shown once before they are kept
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const product = read(new FormData(form));
    const { refusal } = typedPrice(form.elements.price.value, boot.staff.currency);
    if (refusal) return setError({ code: "", reason: refusal });
    const half = product.options.find((one) => !one.axis || !one.values.length);
    if (half) return setError({ code: "", reason: half.axis ? t("shop.values_needed", { axis: half.axis }) : t("shop.axis_needed", { values: half.values.map((one) => one.value).join(t("common.list_sign")) }) });
    if (!warnings) {
      const check = await call("POST", "/api/products/check", product);
      if (!check.ok) return setError(check.error);
      const fields = AXES.filter((index) => form.elements[`axis${index}`].value.trim());
      const derived = fields.filter((index, place) => check.product.options[place].values.some((one, at) => one.short.length && !product.options[place].values[at].short));
      for (const index of derived) form.elements[`values${index}`].value = typed(check.product.options[fields.indexOf(index)].values);
      setShorts(derived.length > 0);
      if (check.warnings?.length || derived.length) return setWarnings(check.warnings ?? []);
    }
    const answer = await call("POST", "/api/products", product);
    if (!answer.ok) return setError(answer.error);
    onAdded(answer.product);
    toast(t("shop.product_added", { code: product.code }));
    return onClose();
  };
  const changed = () => {
    setError(null);
    setWarnings(null);
    setShorts(false);
  };
  const field = (name, label, more = {}) => html`<label class="field"><span>${label}</span><input class="input small" name=${name} ...${more} />
    </label>`;
  return html`<${Sheet} title=${t("shop.product_new")} onClose=${onClose}><form class="stack" onSubmit=${submit} onInput=${changed}>
    <div class="pair">${field("code", t("shop.code"), { required: true, maxlength: 20, placeholder: "A01", autofocus: true })}${field("price", t("shop.price"), { required: true, ...priceInput(boot.staff.currency) })}</div>
    ${field("names", t("shop.names"), { required: true, placeholder: t("shop.names_example") })}
    ${field("name_en", t("shop.name_en"))}
    ${AXES.map((index) => html`<div key=${index} class="pair">${field(`axis${index}`, t("shop.axis"), { placeholder: t(`shop.axis${index}_example`) })}${field(`values${index}`, t("shop.values"), { placeholder: t(`shop.values${index}_example`) })}</div>`)}
    <div class="pair">${field("picture", t("shop.picture"), { placeholder: "https://" })}${field("limit", t("shop.limit"), { type: "number", min: 0, value: 0, inputmode: "numeric" })}</div>
    ${error && html`<p class="error" role="alert">${errorText(error)}</p>`}
    ${shorts && html`<p class="muted" role="status">${t("shop.short_names")}</p>`}
    ${warnings?.length > 0 && html`<div class="warnings" role="alert"><b>${t("shop.warnings")}</b><ul>${warnings.map((one) => html`<li>${warningText(one)}</li>`)}</ul>
      </div>`}
    <button class="btn dark" type="submit">${t(warnings?.length ? "shop.product_anyway" : "shop.product_save")}</button>
  </form><//>`;
}
