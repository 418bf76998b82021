/** What the dialer asks of its logger; pino has this shape. Never given a full phone number. */
export interface DialerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
