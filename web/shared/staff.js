// What the studio and the control panel share: one staff connection, commands with undo, questions.
import { errorText, t } from "./i18n.js";
import { openShow } from "./live.js";
import { newId, toast } from "./ui.js";

export const showId = document.getElementById("app").dataset.show;
export const live = openShow({ show: showId, as: "staff" });
export const ask = (what, fields = {}) => live.send("ask", { what, ...fields });

/** Whether this account can take a command back, as the audit trail says: some can never be. */
function mayUndo(id) {
  const entry = live.state.value?.audit?.find((one) => one.id === id);
  return !!entry?.undoable && (mayHost() || !entry.host_only);
}
/** Gives a command. Its outcome, or null after telling why not. `said` is shown for eight seconds, with an undo button where it can be undone. */
export async function command(name, fields = {}, said = null) {
  const id = newId();
  const answer = await live.send("command", { id, do: name, ...fields });
  if (!answer.ok) {
    toast(errorText(answer.error), { bad: true });
    return null;
  }
  if (said) toast(said, { seconds: 8, action: { label: t("common.undo"), run: () => undo(id), when: () => mayUndo(id) } });
  return answer.outcome ?? {};
}
export async function undo(id, said = t("common.undone")) {
  const outcome = await command("undo", { command: id });
  if (outcome) toast(outcome.left_out ? t("common.undone_partly", { n: outcome.left_out }) : said);
}
/** Undoes this account's last command, that one and no other; `nameOf(entry)` says which it was. */
export function undoLast(nameOf) {
  const mine = live.part("staff").value?.login;
  const entry = live.state.value?.audit.findLast((one) => !one.undone && (!mine || one.actor === mine));
  if (!entry) toast(t("common.nothing_to_undo"));
  else if (entry.undoable && (mayHost() || !entry.host_only)) undo(entry.id, t("common.undone_what", { what: nameOf(entry) }));
  else toast(t("common.undo_cannot", { what: nameOf(entry) }), { bad: true });
}
/** True when the account's role allows what only owner and host may do. */
export const mayHost = () => ["owner", "host"].includes(live.state.value?.staff?.role);

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("common.copied"));
  } catch {
    toast(t("common.copy_failed"), { bad: true }); // no clipboard without HTTPS: the text is on the page to select
  }
}
