// Which tickets are mine, and how their numbers and places are said.
import { count, t } from "../shared/i18n.js";
import { isOver } from "../shared/verdict.js";
import { live } from "./room.js";

/** A number is of one option: of a product that has options it says so. */
export const numberOf = (sku) => t((sku ?? "").includes("/") ? "watch.your_number_of" : "watch.your_number");
export const ahead = (position) => (position > 1 ? t("watch.ahead", { n: count(position - 1) }) : t("watch.first"));

export const myTickets = () => live.me.value?.tickets ?? [];
export const openTickets = () => myTickets().filter((ticket) => !isOver(ticket.state));
