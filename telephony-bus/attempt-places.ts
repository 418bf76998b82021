/** At which gateway an attempt or a lobby is: where its commands go. The latest are remembered. */
export interface Place {
  readonly gatewayId: string;
  isOpen: boolean;
}

const PLACES_MAX = 50_000;

export class AttemptPlaces {
  readonly #places = new Map<string, Place>();
  readonly #open = new Map<string, number>();

  get(id: string): string | undefined {
    return this.#places.get(id)?.gatewayId;
  }

  put(id: string, gatewayId: string): void {
    const known = this.#places.get(id);
    if (known?.gatewayId === gatewayId) return;
    if (known !== undefined) this.#close(known);
    this.#places.delete(id);
    this.#places.set(id, { gatewayId, isOpen: true });
    this.#open.set(gatewayId, this.openAt(gatewayId) + 1);
    if (this.#places.size <= PLACES_MAX) return;
    const [oldest] = this.#places.keys();
    if (oldest === undefined) return;
    this.ended(oldest);
    this.#places.delete(oldest);
  }

  /** Its commands still find their way: what comes too late is answered by the gateway. */
  ended(id: string): void {
    const place = this.#places.get(id);
    if (place !== undefined) this.#close(place);
  }

  /** Attempts of ours that have not ended, as far as we know. */
  openAt(gatewayId: string): number {
    return this.#open.get(gatewayId) ?? 0;
  }

  #close(place: Place): void {
    if (!place.isOpen) return;
    place.isOpen = false;
    this.#open.set(place.gatewayId, this.openAt(place.gatewayId) - 1);
  }
}
