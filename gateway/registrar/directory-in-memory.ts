/** A directory that is forgotten with the process: for one gateway without a store, and for tests. */
import type {
  AccountKey,
  DialInEntry,
  DialInVerdict,
  PhoneBinding,
  PhoneBindings,
  RepresentativeAccount,
  RepresentativeDirectory,
} from '../../machines/representative-directory.port.ts';

export interface DialInAccount {
  readonly representativeId: string;
  readonly number: string;
  readonly pin: string;
}

export class DirectoryInMemory implements RepresentativeDirectory {
  readonly #accounts: readonly RepresentativeAccount[];
  readonly #dialIn: readonly DialInAccount[];
  readonly #bindings = new Map<string, PhoneBindings>();

  constructor(accounts: readonly RepresentativeAccount[], dialIn: readonly DialInAccount[] = []) {
    this.#accounts = accounts;
    this.#dialIn = dialIn;
  }

  accountOf(who: AccountKey): Promise<RepresentativeAccount | undefined> {
    return Promise.resolve(
      this.#accounts.find((account) =>
        'sipUser' in who
          ? account.sipUser === who.sipUser
          : account.representativeId === who.representativeId,
      ),
    );
  }

  bindingsOf(representativeId: string): Promise<PhoneBindings> {
    return Promise.resolve(this.#bindings.get(representativeId) ?? { version: 0, bindings: [] });
  }

  async replaceBindings(
    representativeId: string,
    version: number,
    bindings: readonly PhoneBinding[],
  ): Promise<boolean> {
    if ((await this.bindingsOf(representativeId)).version !== version) return false;
    this.#bindings.set(representativeId, { version: version + 1, bindings: [...bindings] });
    return true;
  }

  admitDialIn({ number, pin }: DialInEntry): Promise<DialInVerdict> {
    const account = this.#dialIn.find((one) => one.number === number);
    const representativeId = account?.representativeId ?? null;
    if (account === undefined || representativeId === null) {
      return Promise.resolve({ admitted: false, reason: 'unknownNumber', representativeId });
    }
    return Promise.resolve(
      account.pin === pin
        ? { admitted: true, representativeId }
        : { admitted: false, reason: 'wrongPin', representativeId },
    );
  }
}
