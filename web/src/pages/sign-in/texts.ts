import { addTexts } from "../../texts";

addTexts("signIn", {
  title: "Sign in to Keepward",
  name: "Name",
  password: "Password",
  code: "One-time code",
  codeHint: "From your authenticator app, or a recovery code.",
  submit: "Sign in",
  with: "Sign in with {{title}}",
  or: "or",
});
