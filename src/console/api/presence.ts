/** Events by which somebody shows that they are there. */
const DEEDS = ['pointerdown', 'keydown', 'wheel', 'touchstart', 'focus'] as const;
/** A request belongs to what somebody did within this time before it. */
const ATTENDED_MS = 60_000;

/** Somebody opened the page. */
let lastAt = performance.now();
for (const deed of DEEDS)
  window.addEventListener(deed, () => (lastAt = performance.now()), { capture: true, passive: true });

/** Whether somebody is with the page, so that what it asks counts as a use of their session. */
export const isAttended = (): boolean => performance.now() - lastAt < ATTENDED_MS;
