/** What a call attempt tells of itself when it joins a TelephonyPort. */
export interface TelephonyInput {
  readonly attemptId: string;
  readonly fence: number;
  /** Where it is dialled: in doubt once that is lost. */
  readonly gatewayId: string;
}
