// What a page hands to the kinds it shows: drawing, texts and small tools. Kinds import none of it, see kinds.js.
import { clock, count, errorText, locale, money, person, t, timeOfDay } from "./i18n.js";
import { Icon, Sheet, html, newId, now, signal, toast, useEffect, useRef, useState } from "./ui.js";

export const kindPage = { Icon, Sheet, clock, count, errorText, html, locale, money, newId, now, person, signal, t, timeOfDay, toast, useEffect, useRef, useState };
