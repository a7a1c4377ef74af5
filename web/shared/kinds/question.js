// Questions of viewers: asked and voted for on the watch page, answered at the control panel, chapters of the replay.
import { addKind, bare, put, without } from "../kinds.js";

const LENGTH_MAX = 200; // as on the server
const ICON = "M5 5h14v10h-8l-4 4v-4H5zM10.500 8.500a1.600 1.600 0 1 1 2.200 1.500c-.500.200-.700.500-.700 1M12 12.800v.100";

const words = {
  "zh-TW": {
    "question.title": "提問",
    "question.label": "提問",
    "question.placeholder": "想問主播什麼？",
    "question.ask": "送出",
    "question.asked": "已送出，大家都看得到",
    "question.held": "已送出，等小編放行",
    "question.none": "還沒有人提問",
    "question.vote": "我也想問（{n} 票）",
    "question.answered": "已回答",
    "question.answer": "回答了",
    "question.answer_done": "已標為回答，重播會有這一段",
    "question.hide": "隱藏",
    "question.show": "放行",
    "question.done": "完成",
    "question.waiting": "等放行",
    "question.hidden": "已隱藏",
    "question.chapters": "回答過的問題",
    "question.jump": "從 {time} 看「{text}」的回答",
    "control.do_answer_question": "回答問題",
    "control.do_reopen_question": "問題改回未回答",
    "control.do_hide_question": "隱藏問題",
    "control.do_show_question": "放行問題",
  },
  en: {
    "question.title": "Questions",
    "question.label": "Ask",
    "question.placeholder": "What do you want to know?",
    "question.ask": "Ask",
    "question.asked": "Asked; everyone can see it",
    "question.held": "Sent; a moderator lets it through",
    "question.none": "No questions yet",
    "question.vote": "I want to know too ({n} votes)",
    "question.vote.one": "I want to know too (1 vote)",
    "question.answered": "Answered",
    "question.answer": "Answered",
    "question.answer_done": "Marked as answered; the replay leads to this moment",
    "question.hide": "Hide",
    "question.show": "Let through",
    "question.done": "Done",
    "question.waiting": "waiting",
    "question.hidden": "hidden",
    "question.chapters": "Questions answered",
    "question.jump": "Watch the answer to “{text}” from {time}",
    "control.do_answer_question": "answered a question",
    "control.do_reopen_question": "reopened a question",
    "control.do_hide_question": "hid a question",
    "control.do_show_question": "let a question through",
  },
};

/** Open ones first, the most wanted at the top. */
const inOrder = (list) => [...list].sort((a, b) => !!a.answered - !!b.answered || b.votes - a.votes || a.at - b.at);
const open = (list) => (list ?? []).filter((one) => !one.answered && (one.place ?? "log") !== "hidden").length;

const changes = {
  question: (state, event) => (state.questions ? { ...state, questions: put(state.questions, bare(event), "id") } : state),
  question_gone(state, event) {
    if (!state.questions) return state;
    const me = state.me?.asked ? { ...state.me, asked: without(state.me.asked, event.id, "id") } : state.me;
    return { ...state, me, questions: without(state.questions, event.id, "id") };
  },
  votes(state, event) {
    const known = state.questions?.find((one) => one.id === event.question);
    return known ? { ...state, questions: put(state.questions, { ...known, votes: event.votes }, "id") } : state;
  },
  voted(state, event) {
    if (!state.me) return state;
    const others = (state.me.voted ?? []).filter((id) => id !== event.question);
    return { ...state, me: { ...state.me, voted: event.up ? [...others, event.question] : others } };
  },
};

function watch({ html, t, person, errorText, toast, useState, live, act }) {
  const listed = () => {
    const shown = live.part("questions").value ?? [];
    const known = new Set(shown.map((one) => one.id));
    return inOrder([...shown, ...(live.me.value?.asked ?? []).filter((one) => !known.has(one.id))]);
  };
  const tell = (answer, said) => (answer.ok ? said && toast(said(answer.outcome)) : toast(errorText(answer.error), { bad: true }));
  function Form() {
    const [text, setText] = useState("");
    const [busy, setBusy] = useState(false);
    const submit = async (event) => {
      event.preventDefault();
      if (!text.trim() || busy) return;
      setBusy(true);
      const answer = await act("ask_question", { text: text.trim() });
      setBusy(false);
      if (answer.ok) setText("");
      tell(answer, (outcome) => t(outcome.held ? "question.held" : "question.asked"));
    };
    return html`<form class="row" onSubmit=${submit}>
      <input class="input grow" value=${text} maxlength=${LENGTH_MAX} autocomplete="off" enterkeyhint="send" aria-label=${t("question.placeholder")}
        placeholder=${t("question.placeholder")} onInput=${(event) => setText(event.currentTarget.value)} />
      <button class="btn small" type="submit" disabled=${!text.trim() || busy}>${t("question.ask")}</button></form>`;
  }
  function View() {
    const voted = new Set(live.me.value?.voted ?? []);
    const list = listed();
    return html`${live.show.value?.stage !== "ended" && html`<${Form} />`}
      ${list.length === 0 && html`<p class="empty">${t("question.none")}</p>`}
      <ul class="products questions">${list.map((one) => html`<li key=${one.id} class="product">
        <div class="grow"><p dir="auto">${one.text}</p><p class="muted"><bdi>${person(one.name)}</bdi>${one.answered && html` · ${t("question.answered")}`}</p></div>
        <button class="btn small line" type="button" aria-pressed=${voted.has(one.id)} aria-label=${t("question.vote", { n: one.votes })}
          onClick=${async () => tell(await act("vote_question", { question: one.id, up: !voted.has(one.id) }))}>${voted.has(one.id) ? "▲" : "△"} ${one.votes}</button>
      </li>`)}</ul>`;
  }
  return {
    icon: ICON,
    View,
    get label() {
      return t("question.label");
    },
    get title() {
      return t("question.title");
    },
    get badge() {
      return open(live.part("questions").value);
    },
  };
}

function control({ html, t, person, timeOfDay, live, command }) {
  const TAGS = { held: "question.waiting", shadow: "question.hidden", hidden: "question.hidden" };
  function Row({ one }) {
    const give = (name, said) => () => command(name, { question: one.id }, said);
    const shown = one.place === "log";
    return html`<li class=${one.place === "hidden" ? "gone" : ""}><time class="muted">${timeOfDay(one.at)}</time>
      <span class="grow"><b dir="auto">${one.text}</b> <span class="muted"><bdi>${person(one.name)}</bdi> · ▲ ${one.votes}</span></span>
      ${TAGS[one.place] && html`<span class="tag warn">${t(TAGS[one.place])}</span>`}${one.answered && html`<span class="tag ok">${t("question.answered")}</span>`}
      ${shown && !one.answered && html`<button class="link" type="button" onClick=${give("answer_question", t("question.answer_done"))}>${t("question.answer")}</button>`}
      ${shown
        ? html`<button class="link" type="button" onClick=${give("hide_question", t("question.done"))}>${t("question.hide")}</button>`
        : html`<button class="link" type="button" onClick=${give("show_question", t("question.done"))}>${t("question.show")}</button>`}</li>`;
  }
  function View() {
    const list = inOrder(live.part("questions").value ?? []);
    return html`<ul class="audit questions">${list.map((one) => html`<${Row} key=${one.id} one=${one} />`)}
      ${list.length === 0 && html`<li class="empty">${t("question.none")}</li>`}</ul>`;
  }
  return {
    View,
    get title() {
      return t("question.title");
    },
    get badge() {
      return open(live.part("questions").value);
    },
  };
}

function replay({ html, t, clock }) {
  const View = ({ moments, jump }) => html`<ol class="questions">${moments.map((one) => html`<li key=${one.id}>
    <button class="chapter" type="button" data-at=${one.at} aria-label=${t("question.jump", { text: one.text, time: clock(one.at) })} onClick=${() => jump(one)}>
      <span class="grow"><b class="cut">${one.text}</b><span class="row"><time>${clock(one.at)}</time></span></span></button></li>`)}</ol>`;
  return {
    View,
    get title() {
      return t("question.chapters");
    },
  };
}

addKind({ name: "question", changes, words, watch, control, replay });
