/// How the page looks: the colours of the system, light or dark, and room for a phone.
enum HTMLStyleSheet {
    static let markup: Markup = """
        :root { color-scheme: light dark;
          --page: #f6f7f9; --card: #fff; --ink: #16202c; --soft: #5b6776; --line: #dfe4ea; --accent: #0b63c5;
          --pass: #14743c; --pass-bg: #dff3e6; --fail: #b42318; --fail-bg: #fde3e0;
          --none: #5b6776; --none-bg: #edf0f3; --missing: #a9761a; --unreachable: #7a5bb0; }
        @media (prefers-color-scheme: dark) { :root {
          --page: #0e141b; --card: #161e27; --ink: #e5ebf2; --soft: #98a5b4; --line: #2a3541; --accent: #6cb0ff;
          --pass: #62d190; --pass-bg: #15352a; --fail: #ff8f84; --fail-bg: #44201f;
          --none: #98a5b4; --none-bg: #212b36; --missing: #dcab53; --unreachable: #b79bea; } }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
        body { margin: 0 auto; max-width: 1180px; padding: 2.5rem 1.5rem 5rem; background: var(--page);
          color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        h1, h2, h3, h4, p, dl, dd, ul { margin: 0; padding: 0; }
        h1 { font-size: clamp(1.6rem, 5vw, 2.3rem); line-height: 1.2; letter-spacing: -.02em; }
        h1::before { content: ""; display: inline-block; width: .55em; height: .55em; margin-right: .4em;
          border-radius: 50%; background: var(--missing); }
        h1.passed::before { background: var(--pass); }
        h1.failed::before { background: var(--fail); }
        h2 { font-size: 1.3rem; letter-spacing: -.01em; }
        section { margin-top: 2.75rem; scroll-margin-top: 1rem; }
        a { color: var(--accent); }
        .eyebrow { color: var(--soft); font-size: .85rem; font-weight: 600; letter-spacing: .04em;
          text-transform: uppercase; margin-bottom: .3rem; }
        .remark { margin-top: .5rem; color: var(--fail); font-weight: 600; }
        .summary, .who, .time, small { color: var(--soft); font-size: .87rem; font-weight: 400; }

        .bar { display: flex; gap: 2px; height: 10px; margin: 1.4rem 0 1rem; border-radius: 5px; overflow: hidden;
          background: var(--none-bg); }
        .bar span { min-width: 4px; background: var(--none); }
        .bar .pass { background: var(--pass); }
        .bar .fail { background: var(--fail); }
        .bar .missing { background: var(--missing); }
        .bar .unreachable { background: var(--unreachable); }
        .tiles { display: flex; flex-wrap: wrap; gap: .6rem 2rem; }
        .tiles div { display: flex; flex-direction: column-reverse; }
        .tiles dd { font-size: 1.5rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
        .tiles dt { color: var(--soft); font-size: .87rem; }
        .tiles dt::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .4em;
          border-radius: 2px; background: var(--none); }
        .tiles .pass dt::before { background: var(--pass); }
        .tiles .fail dt::before { background: var(--fail); }
        .tiles .missing dt::before { background: var(--missing); }
        .tiles .unreachable dt::before { background: var(--unreachable); }
        .tiles .none dd { color: var(--soft); font-weight: 400; }
        .facts { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
        .facts div { display: grid; grid-template-columns: 6rem 1fr; }
        .facts dt { color: var(--soft); }
        .facts dd, .kind dd { overflow-wrap: anywhere; }
        nav { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: 1.25rem; }
        nav a { padding: .3rem .8rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card);
          font-size: .9rem; text-decoration: none; max-width: 100%; overflow-wrap: anywhere; }
        nav a:hover { border-color: var(--accent); }

        .scroll { width: fit-content; max-width: 100%; margin-top: .8rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 10px;
          background: var(--card); }
        table { border-collapse: separate; border-spacing: 0; font-size: .92rem; }
        thead th { padding: .7rem .2rem .5rem; vertical-align: bottom; font-weight: 500; color: var(--soft); }
        thead span { display: inline-block; max-height: 12rem; overflow: hidden; writing-mode: vertical-rl;
          transform: rotate(180deg); white-space: nowrap; text-overflow: ellipsis; }
        tbody th { position: sticky; left: 0; z-index: 1; padding: .35rem .9rem; background: var(--card);
          border-right: 1px solid var(--line); text-align: left; font-weight: 550; line-height: 1.25; }
        tbody th div { width: max-content; max-width: 16rem; overflow-wrap: break-word; }
        tbody th small { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
          font-size: .8rem; }
        thead td { position: sticky; left: 0; z-index: 1; background: var(--card);
          border-right: 1px solid var(--line); }
        tbody td { min-width: 2.75rem; padding: 2px; text-align: center; }
        tbody tr > * { border-top: 1px solid var(--line); }
        td button { position: relative; width: 100%; min-width: 2.4rem; height: 2.3rem; border: 0;
          border-radius: 6px; font: inherit; font-weight: 650; cursor: pointer; }
        button.pass, button.partial { background: var(--pass-bg); color: var(--pass); }
        button.fail { background: var(--fail); color: var(--card); }
        button.unavailable { background: var(--none-bg); color: var(--none); }
        .partial::after { content: ""; position: absolute; top: 5px; right: 5px; width: 7px; height: 7px;
          border-radius: 50%; background: var(--none); }
        .legend { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; margin-top: 2.5rem; padding: 0; list-style: none;
          color: var(--soft); font-size: .9rem; }
        .legend .mark { position: relative; }
        .legend .partial { color: var(--pass); }
        .legend .partial::after { top: 1px; right: 0; }
        td button:hover, button:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }

        .details { width: min(34rem, calc(100vw - 2rem)); max-height: 80vh; margin: auto; padding: 1.3rem 1.5rem;
          overflow: auto; border: 1px solid var(--line); border-radius: 12px; background: var(--card);
          color: var(--ink); box-shadow: 0 12px 48px #0005; }
        .details::backdrop { background: #0006; }
        .details h3 { margin: 0 2rem .5rem 0; overflow-wrap: anywhere; }
        .close { position: absolute; top: .8rem; right: .9rem; width: 2.3rem; height: 2.3rem; border: 0;
          border-radius: 50%; background: none; color: var(--soft); font-size: 1.3rem; line-height: 1; cursor: pointer; }
        .close:hover { background: var(--none-bg); }
        @supports not selector(:popover-open) { .close { display: none; } }
        h3 span, h4 span { color: var(--soft); font-weight: 400; }
        h3 span::before, h4 span::before { content: "· "; }
        .checks { list-style: none; }
        .checks li { padding: .5rem 0; border-top: 1px solid var(--line); }
        .checks .time { float: right; font-variant-numeric: tabular-nums; }
        .checks p { margin-left: 1.55rem; color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
        .mark { display: inline-block; width: 1.3rem; font-weight: 700; color: var(--none); }
        .mark.pass { color: var(--pass); }
        .mark.fail { color: var(--fail); }

        #failures h3, .fold h3 { margin: 1.1rem 0 .5rem; color: var(--soft); font-size: .95rem; font-weight: 600; }
        .findings { display: grid; gap: .6rem; list-style: none; }
        .findings > li { min-width: 0; padding: .7rem 1rem; border: 1px solid var(--line); border-radius: 8px;
          background: var(--card); border-left: 4px solid var(--none); }
        .findings > li.fail { border-left-color: var(--fail); }
        .findings h4 { font-size: 1rem; font-weight: 600; overflow-wrap: anywhere; }
        .findings p.kind { display: inline-block; margin: .35rem 0 .1rem; padding: 0 .55rem; border-radius: 4px;
          background: var(--none-bg); color: var(--none); font-size: .85rem; font-weight: 600; }
        .findings li.fail p.kind { background: var(--fail-bg); color: var(--fail); }
        .detail { max-height: 24rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
        summary { cursor: pointer; overflow-wrap: anywhere; }
        .fold > summary { color: var(--accent); }

        .kinds { columns: 3 18rem; column-gap: 1rem; margin-top: .8rem; }
        div.kind { break-inside: avoid; margin-bottom: 1rem; padding: .9rem 1.1rem; border: 1px solid var(--line);
          border-radius: 10px; background: var(--card); }
        div.kind h3 { margin-bottom: .3rem; font-size: 1rem; }
        div.kind div { display: flex; justify-content: space-between; gap: 1rem; padding: .12rem 0; }
        div.kind dt { min-width: 0; overflow-wrap: anywhere; }
        div.kind dd { max-width: 60%; text-align: right; color: var(--soft); font-variant-numeric: tabular-nums; }
        div.kind dd.none { color: var(--missing); }

        @media (max-width: 600px) {
          body { padding: 1.25rem 1rem 4rem; }
          section { margin-top: 2.1rem; }
          tbody th { padding: .35rem .6rem; font-size: .87rem; }
          tbody th div { max-width: 34vw; }
          .tiles { gap: .6rem 1.5rem; }
          .facts div { grid-template-columns: 5.6rem 1fr; }
          .details { margin-bottom: 0; max-width: none; width: 100%; border-radius: 14px 14px 0 0; }
        }
        @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
        @media print {
          body { max-width: none; padding: 0; }
          .scroll { overflow: visible; border: 0; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }
        """
}
