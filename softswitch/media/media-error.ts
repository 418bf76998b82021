/** Operating errors of the media side, one code each. A broken invariant is an `assert` instead. */
export type MediaErrorCode =
  | 'RTP_PORTS_EXHAUSTED'
  | 'RTP_BIND_FAILED'
  | 'RTP_SESSION_CLOSED'
  | 'TELEPHONE_EVENT_NOT_NEGOTIATED'
  | 'INVALID_DTMF'
  | 'INVALID_WAV'
  | 'INVALID_TONE_STREAM'
  | 'RECORDING_FAILED'
  | 'INVALID_SDP'
  | 'SDP_NOT_ACCEPTABLE';

export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.code = code;
  }
}
