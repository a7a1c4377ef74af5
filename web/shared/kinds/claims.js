// Tickets: a viewer's own, newest first; for staff those of everyone. What is announced of claims is live.js's.
import { addKind, bare, put } from "../kinds.js";

const RESERVATIONS_MAX = 500; // as on the server; older ones are asked for
const TICKETS_MAX = 200;

/** After a price cut the ticket says what the pieces cost before. */
function struck(ticket, known) {
  const was = known && known.price_minor > ticket.price_minor ? known.price_minor : known?.was_minor;
  return was > ticket.price_minor ? { ...ticket, was_minor: was } : ticket;
}

addKind({
  name: "claims",
  changes: {
    ticket(state, event) {
      const ticket = struck(bare(event), (state.reservations ?? state.me?.tickets)?.find((one) => one.id === event.id));
      if (state.reservations) return { ...state, reservations: put(state.reservations, ticket, "id").slice(-RESERVATIONS_MAX) };
      if (!state.me) return state;
      const known = state.me.tickets.some((one) => one.id === ticket.id);
      const tickets = known ? put(state.me.tickets, ticket, "id") : [ticket, ...state.me.tickets].slice(0, TICKETS_MAX);
      return { ...state, me: { ...state.me, tickets } };
    },
    places(state, event) {
      const moved = (tickets) => tickets.map((one) => (event.places[one.id] ? { ...one, position: event.places[one.id] } : one));
      if (state.reservations) return { ...state, reservations: moved(state.reservations) };
      return state.me ? { ...state, me: { ...state.me, tickets: moved(state.me.tickets) } } : state;
    },
  },
});
