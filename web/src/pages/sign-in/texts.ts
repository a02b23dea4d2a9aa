import { addTexts } from "../../texts";

addTexts("signIn", {
  title: "Sign in to Keepward",
  name: "Name",
  password: "Password",
  code: "One-time code",
  codeHint: "Of {{name}}, from the authenticator app, or a recovery code.",
  submit: "Sign in",
  busy: "Signing in…",
  another: "Sign in with another account",
  with: "Sign in with {{title}}",
  or: "or",
  expired: "Your session has ended. Sign in to continue where you were.",
  locked: "Too many attempts. You can sign in again in {{wait}}. An administrator can set a new password for you meanwhile.",
  returned: {
    "identity-provider-away": "The identity provider does not answer as it should. Try again later, or sign in with a password.",
    "identity-provider-unknown": "This way to sign in does not exist any more. Choose another one.",
    "sign-in-failed": "The sign-in was not completed: it took too long, was canceled, or the provider refused it. Try again.",
    "sign-in-groups-left-out":
      "You are in so many groups that the identity provider leaves them out of its answer. An administrator can let it send only the groups that are assigned to Keepward.",
    "sign-in-mismatch":
      "The answer does not belong to this sign-in, so nobody was let in. Start again in this window; if it happens again, tell whoever runs the server.",
    "sign-in-no-role":
      "The identity provider knows you, but none of your groups has a role in Keepward. Ask an administrator to give one of them a role.",
    "sign-in-refused": "Your account is disabled. Ask an administrator to enable it.",
    "too-many-requests": "Too many attempts from this network. Try again in a quarter of an hour.",
    "public-url-missing": "The server does not know its own address, so you could not come back from the provider. Ask whoever runs it to set `public_url`.",
    "server-error": "Something is wrong with the server. Try again later, or tell whoever runs it: its log says what happened.",
    other: "The sign-in failed ({{code}}). Try again.",
  },
});
