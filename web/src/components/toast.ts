/** The id of the page's only toaster. */
export const TOASTER = "toaster";

let arrive: () => void;

/** Settles when there is a toaster: what is said before would be lost. */
export const listening = new Promise<void>((settle) => {
  arrive = settle;
});

export const listen = () => arrive();
