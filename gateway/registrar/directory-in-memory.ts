/** A directory that is forgotten with the process: for one gateway without a store, and for tests. */
import type {
  PhoneBinding,
  RepresentativeAccount,
  RepresentativeDirectory,
} from '../../machines/representative-directory.port.ts';

export class DirectoryInMemory implements RepresentativeDirectory {
  readonly #accounts: readonly RepresentativeAccount[];
  readonly #bindings = new Map<string, readonly PhoneBinding[]>();

  constructor(accounts: readonly RepresentativeAccount[]) {
    this.#accounts = accounts;
  }

  accountOf(who: { sipUser: string } | { representativeId: string }) {
    return Promise.resolve(
      this.#accounts.find((account) =>
        'sipUser' in who
          ? account.sipUser === who.sipUser
          : account.representativeId === who.representativeId,
      ),
    );
  }

  bindingsOf(representativeId: string): Promise<readonly PhoneBinding[]> {
    return Promise.resolve(this.#bindings.get(representativeId) ?? []);
  }

  changeBindings(
    representativeId: string,
    change: (before: readonly PhoneBinding[]) => readonly PhoneBinding[] | undefined,
  ): Promise<void> {
    const after = change(this.#bindings.get(representativeId) ?? []);
    if (after !== undefined) this.#bindings.set(representativeId, after);
    return Promise.resolve();
  }
}
