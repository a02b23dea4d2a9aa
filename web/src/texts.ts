import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { LOCALE } from "./components/format";
import { common } from "./texts/en";

// A further language is a folder beside `texts/en` and a line here; each area of pages adds its own texts when it loads.
void i18next.use(initReactI18next).init({
  // Numbers within texts are written as those beside them.
  lng: LOCALE,
  fallbackLng: "en",
  defaultNS: "common",
  fallbackNS: "common",
  resources: { en: { common } },
  interpolation: { escapeValue: false },
  returnNull: false,
});

/** Adds the English texts of an area; call it beside the area's pages. */
export function addTexts(area: string, texts: Record<string, unknown>) {
  i18next.addResourceBundle("en", area, texts, true, true);
}

/** `t("key", { values })` for the texts of an area; falls back to the common ones. */
export function useTexts(area = "common") {
  return useTranslation([area, "common"]).t;
}
