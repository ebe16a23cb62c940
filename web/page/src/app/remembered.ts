const PREFIX = "grandstand.";

/** What was chosen on this device before: language and theme, never a credential. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // storage is forbidden here: the choice lasts as long as the page
  }
}

/** Keep a choice on this device, where that is allowed. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // as above
  }
}
