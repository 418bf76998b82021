/** A file that is refused as a whole; the message is one sentence for the person who chose it. */
import { DialerError } from '../../machines/errors.ts';

export type ContactsFault =
  | 'tooLarge'
  | 'notText'
  | 'notUtf8'
  | 'empty'
  | 'notCsv'
  | 'noPhoneColumn'
  | 'noIdentifierColumn'
  | 'anotherFile'
  | 'fileLost'
  | 'notTaken';

export class ContactsCsvError extends DialerError {
  readonly fault: ContactsFault;

  constructor(fault: ContactsFault, message: string) {
    super('CONTACTS_INVALID', message);
    this.fault = fault;
  }
}
