// Buyers who are new here, by the network they came from: one press gives back or bans what a stranger has taken.
import { addKind } from "../kinds.js";

const OPEN = new Set(["held", "waiting", "offered"]);
const CLAIMS_MAX = 1000; // of one press, as on the server

const words = {
  "zh-TW": {
    "newcomers.title": "新訪客",
    "newcomers.none": "目前沒有新訪客保留商品",
    "newcomers.hint": "第一次來的訪客，依所在網路分組。行動網路上的真顧客也可能在同一組，先看數字再按。",
    "newcomers.group": "{v} 位訪客，共 {n} 件",
    "newcomers.release": "全部釋出",
    "newcomers.released": "已釋出 {n} 件",
    "newcomers.ban": "封鎖這一組",
    "newcomers.banned": "已封鎖 {n} 位訪客",
    "newcomers.unban": "解除這一組",
    "newcomers.unbanned": "已解除 {n} 位訪客",
    "control.do_ban_group": "封鎖一組新訪客",
    "control.do_unban_group": "解除一組新訪客",
    "control.do_release_group": "釋出一組新訪客的保留",
    "control.do_restore_group": "恢復一組新訪客的保留",
  },
  en: {
    "newcomers.title": "New visitors",
    "newcomers.none": "No new visitor holds anything right now",
    "newcomers.hint": "First-time visitors, grouped by network. Real customers of one mobile network may share a group: look before you press.",
    "newcomers.group": "{v} viewers, {n} pieces",
    "newcomers.release": "Release all",
    "newcomers.released": "{n} pieces released",
    "newcomers.ban": "Ban group",
    "newcomers.banned": "{n} viewers banned",
    "newcomers.unban": "Unban group",
    "newcomers.unbanned": "{n} viewers unbanned",
    "control.do_ban_group": "banned a group of new visitors",
    "control.do_unban_group": "unbanned a group of new visitors",
    "control.do_release_group": "released what a group of new visitors held",
    "control.do_restore_group": "restored what a group of new visitors held",
  },
};

const changes = {
  newcomer: (state, event) => (state.newcomers ? { ...state, newcomers: { ...state.newcomers, [event.viewer]: event.network } } : state),
};

/** Groups with open claims or banned viewers, the largest first: [{network, viewers, banned, claims, pieces}]. */
export function groupsOf(newcomers, reservations, buyers) {
  const groups = new Map();
  for (const [viewer, network] of Object.entries(newcomers ?? {})) {
    if (!groups.has(network)) groups.set(network, { network, viewers: new Set(), banned: 0, claims: [], pieces: 0 });
    groups.get(network).viewers.add(viewer);
  }
  for (const ticket of reservations ?? []) {
    const group = groups.get(newcomers?.[ticket.viewer]);
    if (!group || !OPEN.has(ticket.state)) continue;
    group.claims.push({ reservation: ticket.id, viewer: ticket.viewer, sku: ticket.sku, quantity: ticket.quantity });
    group.pieces += ticket.quantity;
  }
  for (const record of buyers ?? []) {
    const group = groups.get(newcomers?.[record.viewer]);
    if (group && record.banned) group.banned += 1;
  }
  return [...groups.values()].filter((group) => group.pieces || group.banned).sort((a, b) => b.pieces - a.pieces || b.banned - a.banned);
}

function control({ html, t, live, command }) {
  const groups = () => groupsOf(live.part("newcomers").value, live.part("reservations").value, live.part("buyers").value);
  function Row({ group }) {
    const { network } = group;
    const release = () => command("release_group", { network, claims: group.claims.slice(0, CLAIMS_MAX) }, t("newcomers.released", { n: group.pieces }));
    const all = group.banned >= group.viewers.size;
    const bar = () => (all ? command("unban_group", { network }, t("newcomers.unbanned", { n: group.banned }))
      : command("ban_group", { network }, t("newcomers.banned", { n: group.viewers.size - group.banned })));
    return html`<li><b class="grow">${t("newcomers.group", { v: group.viewers.size, n: group.pieces })}</b>
      <button class="btn small line" type="button" disabled=${!group.claims.length} onClick=${release}>${t("newcomers.release")}</button>
      <button class="btn small line" type="button" onClick=${bar}>${t(all ? "newcomers.unban" : "newcomers.ban")}</button></li>`;
  }
  const View = () => {
    const list = groups();
    return html`<p class="muted">${t("newcomers.hint")}</p>
      <ul class="audit">${list.map((group) => html`<${Row} key=${group.network} group=${group} />`)}${list.length === 0 && html`<li class="empty">${t("newcomers.none")}</li>`}</ul>`;
  };
  return {
    View,
    get title() {
      return t("newcomers.title");
    },
  };
}

addKind({ name: "newcomers", changes, words, control });
