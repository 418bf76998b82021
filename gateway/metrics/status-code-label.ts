/** Final status codes as labels. A far end may send any number: those nobody registered are one. */

/** IANA, Session Initiation Protocol (SIP) Response Codes: 2xx to 6xx. */
const REGISTERED = new Set(
  (
    '200 202 204 300 301 302 305 380 400 401 402 403 404 405 406 407 408 409 410 411 412 413 414 ' +
    '415 416 417 420 421 422 423 424 425 428 429 430 433 436 437 438 439 440 469 470 480 481 482 ' +
    '483 484 485 486 487 488 489 491 493 494 500 501 502 503 504 505 513 555 580 600 603 604 606 ' +
    '607 608'
  ).split(' '),
);

export function statusCodeLabels(statusCode: number): { class: string; code: string } {
  const code = String(statusCode);
  const first = code.slice(0, 1);
  return {
    class: /^[2-6]\d\d$/.test(code) ? `${first}xx` : 'other',
    code: REGISTERED.has(code) ? code : 'other',
  };
}
