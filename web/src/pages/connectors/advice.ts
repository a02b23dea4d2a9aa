/** What to do about the words that a connector stands with: `connectors.advice.KEY`. The words are the server's own and stable. */
const KEYS: Record<string, string> = {
  "the sign-in window did not appear": "window",
  "invalid or expired token": "expired",
  "azure devops access token not configured. please authenticate.": "notConfigured",
  "token lacks code.read permission": "codeRead",
  "organization not configured for this connector": "organization",
  "a connector for this organization already exists": "organizationTaken",
  "a connector with this name already exists": "nameTaken",
  "enter the organization first": "organizationFirst",
};

export function adviceFor(why: string | null | undefined): string | undefined {
  return why ? KEYS[why.trim().toLowerCase()] : undefined;
}

export const TROUBLES = Object.values(KEYS);

type Tone = "good" | "warning" | "bad" | "neutral";
const TONES: Record<string, Tone> = { connected: "good", "sign-in-needed": "warning", failed: "bad" };

export function toneOf(state: string): Tone {
  return TONES[state] ?? "neutral";
}
