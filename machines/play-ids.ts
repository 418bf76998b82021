/** What the call attempt machine has played, as attempt.played names it. */

/** The announcement of a call that nobody else takes. */
export const AFTER_ANSWER_PLAY_ID = 'afterAnswer';
/** What is said when the AI agent failed. */
export const FALLBACK_PLAY_ID = 'fallback';
/** What is left on an answering machine. */
export const MESSAGE_PLAY_ID = 'message';
