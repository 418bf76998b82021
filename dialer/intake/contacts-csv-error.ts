/** A file that is refused as a whole; the message is one sentence for the person who chose it. */

export type ContactsCsvErrorCode =
  | 'CONTACTS_TOO_LARGE'
  | 'CONTACTS_NOT_TEXT'
  | 'CONTACTS_NOT_UTF8'
  | 'CONTACTS_EMPTY'
  | 'CONTACTS_NOT_CSV'
  | 'CONTACTS_NO_PHONE_COLUMN'
  | 'CONTACTS_NO_IDENTIFIER_COLUMN';

export class ContactsCsvError extends Error {
  readonly code: ContactsCsvErrorCode;

  constructor(code: ContactsCsvErrorCode, message: string) {
    super(message);
    this.name = 'ContactsCsvError';
    this.code = code;
  }
}
