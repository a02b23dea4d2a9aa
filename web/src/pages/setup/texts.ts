import { addTexts } from "../../texts";

addTexts("setup", {
  title: "Set up Keepward",
  token: "Set-up token",
  tokenHint: "Printed by `keepward serve` when it started, once.",
  name: "Your name",
  nameHint: "The first administrator signs in with it.",
  password: "Password",
  passwordHint: "12 characters or more.",
  submit: "Set up",
});
