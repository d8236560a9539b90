"use strict";
// Draws the charts from the numbers embedded in the page. Everything it shows also stands in a table.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const plots = new Map();
  const NAMES = { off: "durability off", on: "durability on" };
  const DASH = { off: [], on: [8, 4] };

  const css = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const digits = (value) => String(Number(value.toPrecision(3)));
  const duration = (ns) => {
    const rounded = Number(ns.toPrecision(3));
    if (rounded < 1e3) return digits(ns) + " ns";
    if (rounded < 1e6) return digits(ns / 1e3) + " µs";
    if (rounded < 1e9) return digits(ns / 1e6) + " ms";
    return digits(ns / 1e9) + " s";
  };
  const grouped = (value) => (value < 100 ? digits(value) : Math.round(value).toLocaleString("en-US"));
  const rate = (value) => grouped(value) + "/s";
  const percentile = (nines) => {
    const quantile = 100 * (1 - 10 ** -nines);
    return "p" + Number(quantile.toFixed(Math.max(1, Math.ceil(nines) - 1)));
  };

  // As many ticks per power of ten as there is room for.
  const logTicks = (low, high, pixels, spacing) => {
    const steps = [[1, 2, 5], [1, 3], [1]];
    let ticks = [];
    for (const mantissas of steps) {
      ticks = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
        ticks.push(...mantissas.map((mantissa) => mantissa * 10 ** power));
      }
      ticks = ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
      if (ticks.length * spacing <= pixels) break;
    }
    return ticks;
  };
  const bounds = (columns, ...more) => {
    const values = columns.flat().concat(more).filter((value) => value > 0);
    return values.length ? [Math.min(...values) / 1.35, Math.max(...values) * 1.35] : [1, 10];
  };

  const axis = (extra) => ({
    stroke: css("soft"), font: "12px " + css("sans"), labelFont: "12px " + css("sans"), labelSize: 18, labelGap: 2,
    grid: { stroke: css("grid"), width: 1 }, ticks: { stroke: css("grid"), width: 1, size: 5 }, ...extra,
  });
  const latencyAxis = (label, range, height) =>
    axis({ label, size: 62, splits: () => logTicks(...range, height - 60, 34), values: (_, ticks) => ticks.map(duration), filter: (_, ticks) => ticks });
  const line = (mode, extra) => ({ label: NAMES[mode], stroke: css(mode), width: 2.25, dash: DASH[mode], points: { show: false }, spanGaps: false, ...extra });

  const nearest = (column, index) => {
    for (let step = 0; step < column.length; step++) {
      if (column[index - step] != null) return index - step;
      if (column[index + step] != null) return index + step;
    }
    return null;
  };
  const tooltip = (text) => {
    let tip;
    return {
      hooks: {
        init: (plot) => {
          tip = document.createElement("div");
          tip.className = "tip";
          tip.hidden = true;
          plot.over.append(tip);
          plot.over.addEventListener("mouseleave", () => { tip.hidden = true; });
        },
        setCursor: (plot) => {
          const { left, top, idx } = plot.cursor;
          const lines = idx == null || left < 0 ? null : text(plot, idx);
          tip.hidden = !lines || lines.length < 2;
          if (tip.hidden) return;
          tip.replaceChildren(...lines.map((content, index) => {
            const row = document.createElement(index ? "div" : "b");
            row.textContent = content;
            return row;
          }));
          const flip = left + tip.offsetWidth + 24 > plot.over.clientWidth;
          tip.style.left = Math.max(0, flip ? left - tip.offsetWidth - 14 : left + 14) + "px";
          tip.style.top = Math.max(0, Math.min(top - 12, plot.over.clientHeight - tip.offsetHeight)) + "px";
        },
      },
    };
  };

  const draw = (id, height, build) => {
    const holder = document.getElementById(id);
    // What is folded has no width: it is drawn when it is opened.
    if (!holder || !(printing || holder.clientWidth)) return;
    plots.get(id)?.destroy();
    const width = printing ? 640 : holder.clientWidth;
    const [options, columns] = build(width);
    const shared = { width, height, legend: { show: false }, cursor: { drag: { x: false, y: false }, points: { size: 8 } } };
    const plot = new uPlot({ ...shared, ...options, cursor: { ...shared.cursor, ...options.cursor } }, columns, holder);
    plots.set(id, plot);
    holder.tabIndex = 0;
    holder.onkeydown = (event) => step(event, plot);
  };

  // The arrow keys move the cursor from value to value.
  const step = (event, plot) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const last = plot.data[0].length - 1;
    const from = plot.cursor.idx ?? (by > 0 ? -1 : last + 1);
    const index = Math.max(0, Math.min(last, from + by));
    plot.setCursor({ left: plot.valToPos(plot.data[0][index], "x"), top: plot.over.clientHeight / 2 });
  };

  const context = (plot, paint) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 8, bbox.top - 8, bbox.width + 16, bbox.height + 16);
    ctx.clip();
    ctx.font = 12 * devicePixelRatio + "px " + css("sans");
    ctx.setLineDash([]);
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.lineWidth = 1.5 * devicePixelRatio;
    paint(ctx, bbox, devicePixelRatio);
    ctx.restore();
  };

  const legible = (ctx, text, x, y, colour, pixel) => {
    ctx.lineJoin = "round";
    ctx.lineWidth = 4 * pixel;
    ctx.strokeStyle = css("panel");
    ctx.strokeText(text, x, y);
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y);
  };

  // Percentile curves: one command or operation, both modes.
  const curve = () => {
    const select = document.getElementById("curve-select");
    const chart = data.curves[select ? Number(select.value) : 0];
    if (!chart) return;
    const columns = chart.lines.map((one) => one.latency_ns);
    const objective = chart.kind === "command" && data.objective?.command === chart.name ? data.objective : null;
    const range = bounds(columns, ...(objective ? [objective.limit_ns] : []));
    // The curve holds the objective where it passes below the corner.
    const corner = (plot) => objective && context(plot, (ctx, box, pixel) => {
      const [x, y] = [plot.valToPos(objective.nines, "x", true), plot.valToPos(objective.limit_ns, "y", true)];
      ctx.strokeStyle = css("limit");
      ctx.setLineDash([3 * pixel, 3 * pixel]);
      ctx.beginPath(); ctx.moveTo(box.left, y); ctx.lineTo(x, y); ctx.lineTo(x, box.top + box.height); ctx.stroke();
      const text = "objective " + objective.percentile + " ≤ " + duration(objective.limit_ns);
      legible(ctx, text, box.left + 6 * pixel, y - 6 * pixel, css("limit"), pixel);
    });
    const last = chart.nines[Math.max(...columns.map((column) => column.findLastIndex((value) => value != null)))];
    draw("curve-chart", 360, (width) => [{
      scales: { x: { time: false, range: [0, Math.max(1, last) * 1.02] }, y: { distr: 3, range } },
      axes: [
        axis({ size: 30, label: "share of samples at or below", font: (width < 420 ? "10.5px " : "12px ") + css("sans"),
          splits: () => [0, Math.log10(2), 1, 2, 3, 4, 5].filter((nines) => nines <= last + 0.05 && (nines > 0 || width > 420)),
          values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "min" : percentile(tick))) }),
        latencyAxis("latency", range, 360),
      ],
      series: [{}, ...chart.lines.map((one) => line(one.durability))],
      hooks: { draw: [corner] },
      plugins: [tooltip((_, index) => [percentile(chart.nines[index]),
        ...chart.lines.filter((one) => one.latency_ns[index] != null).map((one) => NAMES[one.durability] + ": " + duration(one.latency_ns[index]))])],
    }, [chart.nines, ...columns]]);
  };

  const FOUND = { held: "pass", missed: "fail", mixed: "unsure" };
  const found = (point) => (point.held_count === point.tried_count ? "held" : point.held_count ? "mixed" : "missed");
  // A filled dot for what met the objective, a cross for what did not, a ring for what did sometimes.
  const mark = (ctx, kind, x, y, pixel) => {
    const [arm, radius] = [4.5 * pixel, 4.5 * pixel];
    ctx.lineWidth = 2.25 * pixel;
    ctx.strokeStyle = ctx.fillStyle = css(FOUND[kind]);
    ctx.beginPath();
    if (kind === "missed") {
      ctx.moveTo(x - arm, y - arm); ctx.lineTo(x + arm, y + arm); ctx.moveTo(x - arm, y + arm); ctx.lineTo(x + arm, y - arm); ctx.stroke();
      return;
    }
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    if (kind === "held") ctx.fill(); else { ctx.fillStyle = css("panel"); ctx.fill(); ctx.stroke(); }
  };
  const horizontal = (plot, ctx, box, pixel, value, text) => {
    const y = plot.valToPos(value, "y", true);
    ctx.setLineDash([3 * pixel, 3 * pixel]);
    ctx.strokeStyle = css("limit");
    ctx.beginPath(); ctx.moveTo(box.left, y); ctx.lineTo(box.left + box.width, y); ctx.stroke();
    ctx.setLineDash([]);
    legible(ctx, text, box.left + 6 * pixel, y - 6 * pixel, css("limit"), pixel);
  };
  const vertical = (plot, ctx, box, pixel, value, text, row) => {
    const x = plot.valToPos(value, "x", true);
    ctx.setLineDash([3 * pixel, 3 * pixel]);
    ctx.strokeStyle = css("soft");
    ctx.lineWidth = 1.5 * pixel;
    ctx.beginPath(); ctx.moveTo(x, box.top); ctx.lineTo(x, box.top + box.height); ctx.stroke();
    ctx.setLineDash([]);
    const width = ctx.measureText(text).width;
    const fits = x + width + 6 * pixel <= box.left + box.width;
    legible(ctx, text, fits ? x + 6 * pixel : x - width - 6 * pixel, box.top + (12 + 16 * row) * pixel, css("soft"), pixel);
  };

  // Throughput against latency: every rate that was tried as one mark with the range of its tries, and the trend.
  const probes = () => {
    const chart = data.probes;
    if (!chart) return;
    const columns = uPlot.join(chart.lines.map((one) => [one.points.map((point) => point.offered_per_second), one.points.map((point) => point.trend_ns)]));
    const range = bounds(chart.lines.flatMap((one) => one.points.map((point) => [point.low_ns, point.high_ns])), chart.limit_ns);
    const rates = columns[0].filter((value) => value > 0).concat(chart.target_per_second);
    const reach = [Math.min(...rates) / 1.25, Math.max(...rates) * 1.25];
    const lines = (plot) => context(plot, (ctx, box, pixel) => {
      horizontal(plot, ctx, box, pixel, chart.limit_ns, "objective " + chart.percentile + " ≤ " + duration(chart.limit_ns));
      vertical(plot, ctx, box, pixel, chart.target_per_second, "target " + rate(chart.target_per_second), 0);
      vertical(plot, ctx, box, pixel, chart.required_per_second, "required " + rate(chart.required_per_second), 1);
    });
    const marks = (plot) => context(plot, (ctx, _, pixel) => chart.lines.forEach((one) => one.points.forEach((point) => {
      const at = (value) => plot.valToPos(value, "y", true);
      const x = plot.valToPos(point.offered_per_second, "x", true);
      ctx.strokeStyle = css(one.durability);
      ctx.lineWidth = 1.5 * pixel;
      ctx.beginPath(); ctx.moveTo(x, at(point.low_ns)); ctx.lineTo(x, at(point.high_ns)); ctx.stroke();
      mark(ctx, found(point), x, at(point.middle_ns), pixel);
    })));
    const describe = (plot, index) => {
      const at = plot.data[0][index];
      return [rate(at) + " offered", ...chart.lines.flatMap((one) => one.points.filter((point) => point.offered_per_second === at).flatMap((point) => {
        const between = point.tried_count > 1 ? " (" + duration(point.low_ns) + " – " + duration(point.high_ns) + ")" : "";
        return [NAMES[one.durability] + ": " + rate(point.achieved_per_second) + " completed, " + chart.percentile + " " + duration(point.middle_ns) + between,
          "met the objective " + point.held_count + " of " + point.tried_count];
      }))];
    };
    draw("probe-chart", 360, (width) => [{
      scales: { x: { time: false, distr: 3, range: reach }, y: { distr: 3, range } },
      axes: [
        axis({ size: 30, label: "commands per second offered", splits: () => logTicks(...reach, width - 100, 56), values: (_, ticks) => ticks.map(grouped), filter: (_, ticks) => ticks }),
        latencyAxis(chart.percentile + " of " + chart.command, range, 360),
      ],
      series: [{}, ...chart.lines.map((one) => line(one.durability, { width: 1.5, spanGaps: true }))],
      cursor: { points: { show: false } },
      hooks: { drawAxes: [lines], draw: [marks] },
      plugins: [tooltip(describe)],
    }, columns]);
  };

  // Every slice of a certification against the limit.
  const certificate = () => {
    const chart = data.certificate;
    if (!chart) return;
    const name = chart.slo.percentile;
    const columns = uPlot.join(chart.lines.map((one) => [one.slices.map((slice) => slice.at_seconds), one.slices.map((slice) => slice.percentile_ns)]));
    const range = bounds(columns.slice(1).map((column) => column.filter((value) => value != null)), chart.slo.limit_ns);
    const lines = (plot) => context(plot, (ctx, box, pixel) => horizontal(plot, ctx, box, pixel, chart.slo.limit_ns, "limit " + duration(chart.slo.limit_ns)));
    const missed = (plot) => context(plot, (ctx, _, pixel) => chart.lines.forEach((one) => one.slices.filter((slice) => slice.is_missed && slice.percentile_ns != null)
      .forEach((slice) => mark(ctx, "missed", plot.valToPos(slice.at_seconds, "x", true), plot.valToPos(slice.percentile_ns, "y", true), pixel))));
    const clock = (seconds) => (seconds < 120 ? seconds + " s" : seconds < 7200 ? digits(seconds / 60) + " min" : digits(seconds / 3600) + " h");
    const describe = (plot, index) => [clock(plot.data[0][index]), ...chart.lines.flatMap((one) => {
      const slice = one.slices.find((slice) => slice.at_seconds === plot.data[0][index]);
      if (!slice) return [];
      const value = slice.percentile_ns == null ? "too few samples" : name + " " + duration(slice.percentile_ns);
      return [NAMES[one.durability] + ": " + value + (slice.is_missed ? ", missed" : "") + (slice.is_disturbed ? ", disturbed" : "")];
    })];
    draw("certificate-chart", 320, () => [{
      scales: { x: { time: false }, y: { distr: 3, range } },
      axes: [
        axis({ size: 30, label: "certified time", incrs: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400], values: (_, ticks) => ticks.map(clock) }),
        latencyAxis(name + " of " + chart.slo.command, range, 320),
      ],
      series: [{}, ...chart.lines.map((one) => line(one.durability, { width: 1.75 }))],
      hooks: { drawAxes: [lines], draw: [missed] }, plugins: [tooltip(describe)],
    }, columns]);
  };

  // Latency against the rate of a ramp, and where it crosses the limit.
  const ramp = () => {
    const chart = data.ramp;
    if (!chart) return;
    const { modes, command } = chart.ramp;
    const name = chart.slo?.percentile ?? "p99";
    const columns = uPlot.join(modes.flatMap((mode) => ["p50_ns", "percentile_ns"].map((field) => [mode.points.map((point) => point.offered_per_second), mode.points.map((point) => point[field])])));
    const range = bounds(columns.slice(1).map((column) => column.filter((value) => value != null)), ...(chart.slo ? [chart.slo.limit_ns] : []));
    const lines = (plot) => context(plot, (ctx, box, pixel) => {
      if (!chart.slo) return;
      horizontal(plot, ctx, box, pixel, chart.slo.limit_ns, "objective " + name + " ≤ " + duration(chart.slo.limit_ns));
      modes.filter((mode) => mode.crosses_at_per_second != null).forEach((mode, index) => {
        vertical(plot, ctx, box, pixel, mode.crosses_at_per_second, NAMES[mode.durability] + ": " + rate(mode.crosses_at_per_second), index);
      });
    });
    const describe = (plot, index) => [rate(plot.data[0][index]) + " offered", ...modes.flatMap((mode) => {
      const point = mode.points.find((point) => point.offered_per_second === plot.data[0][index]);
      return point?.percentile_ns == null ? [] : [NAMES[mode.durability] + ": p50 " + duration(point.p50_ns) + ", " + name + " " + duration(point.percentile_ns)];
    })];
    draw("ramp-chart", 340, () => [{
      scales: { x: { time: false }, y: { distr: 3, range } },
      axes: [axis({ size: 30, label: "commands per second offered", values: (_, ticks) => ticks.map(grouped) }), latencyAxis("p50 and " + name + " of " + command, range, 340)],
      series: [{}, ...modes.flatMap((mode) => [line(mode.durability, { width: 1.25, spanGaps: true }), line(mode.durability, { width: 2.5, spanGaps: true })])],
      hooks: { drawAxes: [lines] }, plugins: [tooltip(describe)],
    }, columns]);
  };

  // Second by second: latency above, throughput below, on one time axis with a line where a round begins.
  const series = () => {
    const chart = data.series;
    if (!chart) return;
    const table = (...fields) => uPlot.join(chart.lines.flatMap((one) => fields.map((field) => [one.at_seconds, one[field]])),
      chart.lines.flatMap(() => fields.map(() => [1, 1])));
    const rounds = (label) => (plot) => context(plot, (ctx, box, pixel) => chart.rounds.forEach((round) => {
      const x = plot.valToPos(round.at_seconds, "x", true);
      ctx.strokeStyle = ctx.fillStyle = css("soft");
      ctx.lineWidth = pixel;
      ctx.setLineDash([2 * pixel, 3 * pixel]);
      ctx.beginPath(); ctx.moveTo(x, box.top); ctx.lineTo(x, box.top + box.height); ctx.stroke();
      if (label) ctx.fillText("round " + round.round, x + 5 * pixel, box.top + 12 * pixel);
    }));
    const stalls = (plot) => context(plot, (ctx, box) => chart.lines.forEach((one) => one.stalls.forEach(([from, to]) => {
      const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
      ctx.fillStyle = css(one.durability + "-band");
      ctx.fillRect(left, box.top, Math.max(2, right - left), box.height);
    })));
    const stalled = (second) => chart.lines.filter((one) => one.stalls.some(([from, to]) => second > from && second <= to)).map((one) => NAMES[one.durability] + ": stall");
    const time = axis({ size: 30, label: "seconds of measured time", values: (_, ticks) => ticks.map((tick) => tick + " s") });
    const at = (plot, index, column) => {
      const found = nearest(plot.data[column], index);
      return found == null ? null : plot.data[column][found];
    };
    const last = Math.max(...chart.lines.flatMap((one) => one.at_seconds));
    const x = { time: false, range: [0, last] };
    const sync = { key: "series", setSeries: false };

    const latencies = table("p50_ns", "p99_ns");
    const [low, high] = bounds(latencies.slice(1).map((column) => column.filter((value) => value != null)));
    const range = [low, high * 1.4];
    draw("series-latency-chart", 300, () => [{
      scales: { x, y: { distr: 3, range } },
      axes: [axis({ values: (_, ticks) => ticks.map(() => "") , size: 12 }), latencyAxis("p50 and p99", range, 300)],
      series: [{}, ...chart.lines.flatMap((one) => [line(one.durability, { width: 1.25 }), line(one.durability, { width: 2.5 })])],
      cursor: { sync }, hooks: { drawClear: [stalls], drawAxes: [rounds(true)] },
      plugins: [tooltip((plot, index) => [digits(plot.data[0][index]) + " s", ...chart.lines.flatMap((one, place) => {
        const [p50, p99] = [at(plot, index, 2 * place + 1), at(plot, index, 2 * place + 2)];
        return p50 == null || p99 == null ? [] : [NAMES[one.durability] + ": p50 " + duration(p50) + ", p99 " + duration(p99)];
      }), ...stalled(plot.data[0][index])])],
    }, latencies]);

    const offered = chart.lines.filter((one) => one.offered_per_second.length);
    const throughput = uPlot.join([...chart.lines.map((one) => [one.at_seconds, one.completed_per_second]), ...offered.map((one) => [one.at_seconds, one.offered_per_second])],
      [...chart.lines, ...offered].map(() => [1, 1]));
    const top = Math.max(...throughput.slice(1).flat().filter((value) => value != null)) * 1.12 || 1;
    draw("series-rate-chart", 190, () => [{
      scales: { x, y: { range: [0, top] } },
      axes: [time, axis({ label: "completed/s", size: 62, values: (_, ticks) => ticks.map(grouped) })],
      series: [{}, ...chart.lines.map((one) => line(one.durability, { width: 1.75 })), ...offered.map((one) => line(one.durability, { width: 1, stroke: css("soft"), dash: [2, 3] }))],
      cursor: { sync }, hooks: { drawClear: [stalls], drawAxes: [rounds(false)] },
      plugins: [tooltip((plot, index) => [digits(plot.data[0][index]) + " s", ...chart.lines.flatMap((one, place) => {
        const value = at(plot, index, place + 1);
        return value == null ? [] : [NAMES[one.durability] + ": " + rate(value) + " completed"];
      }), ...offered.flatMap((one, place) => {
        const value = at(plot, index, chart.lines.length + place + 1);
        return value == null ? [] : [NAMES[one.durability] + ": " + rate(value) + " offered"];
      })])],
    }, throughput]);
  };

  const band = (mode, low, high) => ({ series: [high, low], fill: css(mode + "-band") });
  const edge = { stroke: "transparent", points: { show: false } };

  // Measured ceilings as dots, the law through them with its band, dashed beyond what was measured.
  const scaling = () => {
    const chart = data.scaling;
    if (!chart) return;
    const most = Math.max(...chart.lines.flatMap((one) => [...one.curve, ...one.points].map((point) => point.cores_count)));
    const cores = Array.from({ length: most }, (_, index) => index + 1);
    const law = (one, field) => cores.map((count) => one.curve.find((point) => point.cores_count === count)?.per_second[field] ?? null);
    const within = (column, keep) => column.map((value, index) => (keep(cores[index]) ? value : null));
    const columns = [cores];
    const rows = [{}];
    const bands = [];
    chart.lines.forEach((one) => {
      const [low, expected, high] = ["low", "expected", "high"].map((field) => law(one, field));
      const first = columns.length;
      columns.push(low, high, within(expected, (count) => count <= chart.measured_cores), within(expected, (count) => count >= chart.measured_cores));
      rows.push(edge, edge, line(one.durability, { dash: [] }), line(one.durability, { dash: [4, 4] }));
      bands.push(band(one.durability, first, first + 1));
    });
    const values = columns.slice(1).flat().concat(chart.lines.flatMap((one) => one.points.map((point) => point.per_second)));
    const top = Math.max(1, ...values.filter((value) => value != null)) * 1.08;
    const dots = (plot) => context(plot, (ctx, box, pixel) => {
      const x = plot.valToPos(chart.measured_cores, "x", true);
      if (most > chart.measured_cores) {
        ctx.strokeStyle = ctx.fillStyle = css("soft");
        ctx.lineWidth = pixel;
        ctx.setLineDash([2 * pixel, 3 * pixel]);
        ctx.beginPath(); ctx.moveTo(x, box.top); ctx.lineTo(x, box.top + box.height); ctx.stroke();
        legible(ctx, "beyond this host", x + 6 * pixel, box.top + 12 * pixel, css("soft"), pixel);
      }
      chart.lines.forEach((one) => one.points.forEach((point) => {
        ctx.fillStyle = css(one.durability);
        ctx.beginPath();
        ctx.arc(plot.valToPos(point.cores_count, "x", true), plot.valToPos(point.per_second, "y", true), 4.5 * pixel, 0, 2 * Math.PI);
        ctx.fill();
      }));
    });
    const describe = (_, index) => [cores[index] + (cores[index] === 1 ? " core" : " cores"), ...chart.lines.flatMap((one) => {
      const measured = one.points.filter((point) => point.cores_count === cores[index]).map((point) => rate(point.per_second));
      const at = one.curve.find((point) => point.cores_count === cores[index])?.per_second;
      return [
        ...(measured.length ? [NAMES[one.durability] + ": measured " + measured.join(", ")] : []),
        ...(at ? [NAMES[one.durability] + ": law " + rate(at.expected) + " (" + grouped(at.low) + " – " + grouped(at.high) + ")"] : []),
      ];
    })];
    draw("scaling-chart", 320, () => [{
      scales: { x: { time: false, range: [0.7, most + 0.3] }, y: { range: [0, top] } },
      axes: [
        axis({ size: 30, label: "cores", splits: () => cores.filter((count) => most <= 16 || count % Math.ceil(most / 16) === 0), values: (_, ticks) => ticks.map(String) }),
        axis({ label: "commands/s, closed loop", size: 66, values: (_, ticks) => ticks.map(grouped) }),
      ],
      series: rows, bands, hooks: { draw: [dots] }, plugins: [tooltip(describe)],
    }, columns]);
  };

  const size = (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = 0;
    for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1024;
    return digits(bytes) + " " + units[unit];
  };
  const day = (seconds) => new Date(1000 * seconds).toISOString().slice(0, 10);
  const hour = (seconds) => new Date(1000 * seconds).toISOString().slice(5, 13).replace("T", " ") + " h";
  // Where a rising column first reaches a value, between its points.
  const reached = (xs, column, value) => {
    const index = column.findIndex((at) => at >= value);
    if (index <= 0) return null;
    const share = (value - column[index - 1]) / (column[index] - column[index - 1]);
    return xs[index - 1] + share * (xs[index] - xs[index - 1]);
  };

  // The database over the days to come, and the room on the disk.
  const growth = () => {
    const chart = data.growth;
    if (!chart) return;
    const columns = [chart.at_seconds, chart.low_bytes, chart.high_bytes, chart.expected_bytes];
    const moment = chart.at_seconds.at(-1) - chart.at_seconds[0] > 8 * 86400 ? day : hour;
    const grown = Math.max(...chart.high_bytes);
    // A disk that is never filled would flatten the curve to nothing.
    const showsRoom = chart.room_bytes < 4 * grown;
    const top = 1.12 * (showsRoom ? Math.max(grown, chart.room_bytes) : grown);
    const unit = 1024 ** Math.floor(Math.log(top) / Math.log(1024));
    const marks = (plot) => context(plot, (ctx, box, pixel) => {
      if (showsRoom) horizontal(plot, ctx, box, pixel, chart.room_bytes, chart.room + ": " + size(chart.room_bytes));
      const full = reached(chart.at_seconds, chart.expected_bytes, chart.room_bytes);
      if (full != null && chart.full_on) vertical(plot, ctx, box, pixel, full, "full on " + chart.full_on, 1);
    });
    draw("growth-chart", 300, (width) => [{
      scales: { x: { time: true, range: [chart.at_seconds[0], chart.at_seconds.at(-1)] }, y: { range: [0, top] } },
      axes: [
        axis({ size: 30, space: width < 420 ? 80 : 110, values: (_, ticks) => ticks.map(moment) }),
        axis({ label: "size of the database", size: 70, incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((step) => step * unit), values: (_, ticks) => ticks.map(size) }),
      ],
      series: [{}, edge, edge, { label: "expected", stroke: css("link"), width: 2.5, points: { show: false } }],
      bands: [{ series: [2, 1], fill: css("forecast-band") }],
      hooks: { draw: [marks] },
      plugins: [tooltip((_, index) => [moment(chart.at_seconds[index]), size(chart.expected_bytes[index]), "between " + size(chart.low_bytes[index]) + " and " + size(chart.high_bytes[index])])],
    }, columns]);
  };

  // The rate that meets the objective while the database grows: measured points, the model beyond.
  const sizes = () => {
    const chart = data.sizes;
    if (!chart) return;
    const all = [...new Set(chart.modes.flatMap((mode) => mode.points.map((point) => point.database_bytes)))].sort((a, b) => a - b);
    const of = (mode, bytes) => mode.points.find((point) => point.database_bytes === bytes);
    const columns = [all, ...chart.modes.map((mode) => all.map((bytes) => of(mode, bytes)?.per_second ?? null))];
    const marks = [...chart.ram.map(([name, bytes]) => ["RAM of " + name, bytes]), ["horizon", chart.horizon_bytes]];
    const low = Math.min(all[0], ...marks.map((mark) => mark[1])) / 1.3;
    const high = Math.max(all.at(-1), ...marks.map((mark) => mark[1])) * 1.3;
    const top = 1.12 * Math.max(chart.required_per_second, ...columns.slice(1).flat().filter((value) => value != null));
    const drawn = (plot) => context(plot, (ctx, box, pixel) => {
      horizontal(plot, ctx, box, pixel, chart.required_per_second, "required: " + rate(chart.required_per_second));
      marks.forEach(([name, bytes], index) => vertical(plot, ctx, box, pixel, bytes, name, index % 3));
      chart.modes.forEach((mode) => mode.points.filter((point) => point.basis === "measured").forEach((point) => {
        ctx.fillStyle = css(mode.durability);
        ctx.beginPath();
        ctx.arc(plot.valToPos(point.database_bytes, "x", true), plot.valToPos(point.per_second, "y", true), 4.5 * pixel, 0, 2 * Math.PI);
        ctx.fill();
      }));
    });
    const describe = (_, index) => [size(all[index]), ...chart.modes.flatMap((mode) => {
      const point = of(mode, all[index]);
      return point ? [NAMES[mode.durability] + ": " + rate(point.per_second) + ", " + point.basis, digits(point.disk_reads_per_command) + " reads from the disk per command"] : [];
    })];
    draw("sizes-chart", 320, (width) => [{
      scales: { x: { time: false, distr: 3, log: 2, range: [low, high] }, y: { range: [0, top] } },
      axes: [
        axis({ size: 30, label: "size of the database", space: width < 420 ? 60 : 80, values: (_, ticks) => ticks.map((bytes) => bytes == null ? null : size(bytes)) }),
        axis({ label: "commands/s that meet the objective", size: 70, values: (_, ticks) => ticks.map(grouped) }),
      ],
      series: [{}, ...chart.modes.map((mode) => ({ label: NAMES[mode.durability], stroke: css(mode.durability), width: 2.5, dash: mode.durability === "on" ? [8, 4] : undefined, spanGaps: true, points: { show: false } }))],
      hooks: { draw: [drawn] },
      plugins: [tooltip(describe)],
    }, columns]);
  };

  let printing = false;
  const all = () => { certificate(); ramp(); sizes(); curve(); probes(); series(); scaling(); growth(); };
  document.querySelectorAll("details.part").forEach((part) => part.addEventListener("toggle", () => { if (part.open && !printing) all(); }));
  // A link to a part opens it.
  const unfold = () => {
    const part = location.hash && document.getElementById(location.hash.slice(1))?.closest("details.part");
    if (part) { part.open = true; part.scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  document.getElementById("curve-select")?.addEventListener("change", curve);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    printing = true;
    folded = [...document.querySelectorAll("details:not([open], #terms)")];
    folded.forEach((details) => { details.open = true; });
    all();
  });
  addEventListener("afterprint", () => {
    printing = false;
    folded.forEach((details) => { details.open = false; });
    all();
  });
  let pending;
  let seen = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === seen || printing) return;
    seen = innerWidth;
    clearTimeout(pending);
    pending = setTimeout(all, 120);
  });

  // On a phone, the cells of a row stand below each other, each with the head of its column.
  document.querySelectorAll(".scroll table:not(.stacked, .facts)").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    if (heads.length < 3) return;
    table.classList.add("stacked");
    [...table.tBodies].flatMap((body) => [...body.rows]).forEach((row) => [...row.cells].forEach((cell, index) => {
      if (cell.tagName !== "TD" || !heads[index]) return;
      const content = document.createElement("span");
      content.append(...cell.childNodes);
      cell.append(content);
      cell.dataset.label = heads[index];
    }));
  });
  // Tables behind charts stand open for readers without scripts.
  document.querySelectorAll("details.behind-chart").forEach((table) => { table.open = false; });
  document.querySelectorAll(".copy").forEach((block) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = block.querySelector("pre");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
    block.append(button);
  });
  all();
  unfold();
})();
