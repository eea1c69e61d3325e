// Draws the token that a checking process asks about next. The run says which tokens exist, which may be active, and which were just stopped.

/** Tokens that were focused on last, drawn from again and again. */
const HOT = 300;
const HOT_SHARE = 0.45;
const LIVE_SHARE = 0.9;

export function createDraw() {
  const texts = [];
  const live = [];
  const places = new Map();
  let hot = [];
  let listener = () => undefined;

  const from = (tokens) => tokens[Math.floor(Math.random() * tokens.length)];

  function revive(token) {
    if (places.has(token)) return;
    places.set(token, live.length);
    live.push(token);
  }

  function bury(token) {
    const place = places.get(token);
    if (place === undefined) return;
    places.delete(token);
    const last = live.pop();
    if (last === token) return;
    live[place] = last;
    places.set(last, place);
  }

  return {
    text: (token) => texts[token],
    /** The rest are those that exist at all. */
    pick() {
      const chance = Math.random();
      if (chance < HOT_SHARE && hot.length > 0) return from(hot);
      if (chance < LIVE_SHARE && live.length > 0) return from(live);
      return texts.length === 0 ? undefined : Math.floor(Math.random() * texts.length);
    },
    onFocus(added) {
      listener = added;
    },
    hear({ know, live: alive, dead, focus }) {
      for (const [token, text] of know ?? []) texts[token] = text;
      for (const token of alive ?? []) revive(token);
      for (const token of dead ?? []) bury(token);
      if (!focus) return;
      hot = [...hot, ...focus].slice(-HOT);
      listener(focus);
    },
  };
}
