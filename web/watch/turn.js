// What comes up for whoever waited is taken, and what is held is given up: loaded when one of them is wanted.
import { errorText, t } from "../shared/i18n.js";
import { newId, toast } from "../shared/ui.js";
import { live } from "./room.js";

/** Takes what was offered after waiting; false after telling why not. */
export async function take(reservation) {
  const answer = await live.send("take", { id: newId(), reservation });
  if (!answer.ok) toast(answer.error.code === "conflict" ? t("watch.offer_over") : errorText(answer.error), { bad: true });
  return answer.ok;
}

export async function cancel(reservation) {
  const answer = await live.send("cancel", { id: newId(), reservation });
  if (answer.ok) toast(t("watch.cancelled"));
  else toast(errorText(answer.error), { bad: true });
}
