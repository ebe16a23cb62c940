const NAME = "grandstand.key";

/** The key that was entered, kept for this tab alone: closing it signs out. Never in an address. */
export const credential = (): string | null => sessionStorage.getItem(NAME);

/** Use a key from now on; null signs out. `credentialchange` is sent on window. */
export function setCredential(key: string | null): void {
  if (key === null) sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, key);
  window.dispatchEvent(new Event("credentialchange"));
}
