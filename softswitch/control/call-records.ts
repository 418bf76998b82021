/**
 * Call records, sent only where a client asked for them with `route|cdr:attempt` and so on.
 * drachtio-srf turns them into events of the same names.
 */
import { serializeSipMessage, type SipMessage } from '../sip/message.ts';
import type { ClientRouter } from './client-router.ts';
import type { ControlSession } from './control-session.ts';
import { stackTime } from './stack-time.ts';

/** Who sent the message the record is about: the far end, or we. */
export type RecordSource = 'network' | 'application';

export type StopReason =
  'call-rejected' | 'call-canceled' | 'normal-release' | 'session-expired' | 'ackbye';

export class CallRecords {
  readonly #router: ClientRouter<ControlSession>;

  constructor(router: ClientRouter<ControlSession>) {
    this.#router = router;
  }

  attempt(source: RecordSource, invite: SipMessage): void {
    this.#send('cdr:attempt', source, '', invite);
  }

  start(source: RecordSource, role: 'uac' | 'uas', answer: SipMessage): void {
    this.#send('cdr:start', source, `|${role}`, answer);
  }

  stop(source: RecordSource, reason: StopReason, message: SipMessage): void {
    this.#send('cdr:stop', source, `|${reason}`, message);
  }

  #send(kind: string, source: RecordSource, detail: string, message: SipMessage): void {
    const client = this.#router.select(kind);
    if (client === undefined) return; // the usual case: nothing is serialised for it
    const record = `${kind}|${source}|${stackTime()}${detail}`;
    client.deliverRecord(record, serializeSipMessage(message));
  }
}
