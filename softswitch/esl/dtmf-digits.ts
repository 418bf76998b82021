/** FreeSWITCH's notation of digits to send. */

export interface DigitsToSend {
  /** `0-9*#A-D` and the pauses `w` (0.5 s) and `W` (1 s). */
  readonly digits: string;
  /** Of each digit. */
  readonly durationMs: number;
}

/** FreeSWITCH's default of 2000 samples, and its limits of 400 and 192000. */
const DURATION_MS_DEFAULT = 250;
const DURATION_MS_MIN = 50;
const DURATION_MS_MAX = 24_000;
const DIGITS_MAX = 256;

/** `12w3@200` → 1, 2, a pause, 3, of 200 ms each. Undefined when nothing in it can be sent. */
export function parseDigits(text: string): DigitsToSend | undefined {
  const [sequence = '', duration] = text.trim().slice(0, DIGITS_MAX).split('@');
  const wanted = duration === undefined ? DURATION_MS_DEFAULT : Number.parseInt(duration, 10) || 0;
  const digits = sequence.replace(/[^0-9*#A-Da-dwW]/g, '').replace(/[a-d]/g, upperCase);
  if (!/[0-9*#A-D]/.test(digits)) return undefined;
  return { digits, durationMs: Math.min(DURATION_MS_MAX, Math.max(DURATION_MS_MIN, wanted)) };
}

function upperCase(letter: string): string {
  return letter.toUpperCase();
}
