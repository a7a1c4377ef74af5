// A goal that the host sets, and viewers who cheer for it: a kind to start from. Copy it to web/shared/kinds/<kind>.js.
// It imports nothing but kinds.js; what a page hands it (`html`, `t`, `live`, …) is in web/shared/kind_page.js.
import { addKind } from "../kinds.js";

const words = {
  "zh-TW": {
    "goal.title": "目標",
    "goal.none": "今天還沒有目標",
    "goal.cheer": "加油（{n}）",
    "goal.reached": "達成了！",
    "control.do_goal": "改了目標",
    "control.do_reach_goal": "宣布達成目標",
  },
  en: {
    "goal.title": "Goal",
    "goal.none": "No goal yet",
    "goal.cheer": "Cheer ({n})",
    "goal.reached": "Reached!",
    "control.do_goal": "changed the goal",
    "control.do_reach_goal": "said that the goal is reached",
  },
};

// Pure: the state after a wire event. The server's `project` sends them, its `shown` is where the state starts.
const changes = {
  goal: (state, event) => ({ ...state, goal: event.text }),
  goal_reached: (state, event) => ({ ...state, reached_ms: event.at }),
  cheers: (state, event) => ({ ...state, cheers: event.count }),
};

function watch({ html, t, live, act, toast, errorText }) {
  const cheer = async () => {
    const answer = await act("cheer");
    if (!answer.ok) toast(errorText(answer.error), { bad: true });
  };
  function View() {
    const { goal, cheers, reached_ms: reached } = live.state.value;
    if (!goal) return html`<p class="empty">${t("goal.none")}</p>`;
    return html`<p>${goal} ${reached ? t("goal.reached") : ""}</p><button class="btn" type="button" onClick=${cheer}>${t("goal.cheer", { n: cheers })}</button>`;
  }
  return {
    icon: "M6 21V4h11l-2 4 2 4H6",
    View,
    get title() {
      return t("goal.title");
    },
  };
}

addKind({ name: "goal", changes, words, watch });
