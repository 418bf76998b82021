/** The system's outcome of a delivery: closed lists, as data. The names are stored verbatim. */

export const RESULTS = [
  'LiveAnswer', // answered, and interacted with the AI agent or was bridged to a representative
  'AnsweringMachine', // machine; the message was left
  'AnsweringMachineHangup', // machine; hung up without a message
  'Undetermined', // answered, but no interaction took place
  'NotAHandset', // fax or SIT: neither person nor machine
  'BotFailed', // the AI agent failed to start or broke during the call
  'CallEnded', // preview mode: the customer's phone went off-hook
  'Busy',
  'NoAnswer',
  'InvalidAddress', // no such number
  'CallFailed', // failed for another reason, or without any diagnostics
  'Terminated', // preview mode: no representative accepted before the window ended
  'Unknown', // tried, but too little is known because of an error
  'Cancelled', // not attempted, or withdrawn, on request
  'Expired', // not attempted: too late
  'Error', // not attempted: bad configuration or data
] as const;
export type Result = (typeof RESULTS)[number];
