// Tickets: a viewer's own, newest first; for staff those of everyone. What is announced of claims is live.js's.
import { addKind, bare, put } from "../kinds.js";

const RESERVATIONS_MAX = 500; // as on the server; older ones are asked for
const TICKETS_MAX = 200;

addKind({
  name: "claims",
  changes: {
    ticket(state, event) {
      const ticket = bare(event);
      if (state.reservations) return { ...state, reservations: put(state.reservations, ticket, "id").slice(-RESERVATIONS_MAX) };
      if (!state.me) return state;
      const known = state.me.tickets.some((one) => one.id === ticket.id);
      const tickets = known ? put(state.me.tickets, ticket, "id") : [ticket, ...state.me.tickets].slice(0, TICKETS_MAX);
      return { ...state, me: { ...state.me, tickets } };
    },
  },
});
