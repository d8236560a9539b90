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
    if (!holder) return;
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

  // Throughput against latency: a dot for a rate that met the objective, a cross for one that did not.
  const probes = () => {
    const chart = data.probes;
    if (!chart) return;
    // A rate that was tried more than once: the line goes through the middle of what was seen.
    const middles = (points) => {
      const rates = [...new Set(points.map((point) => point.offered_per_second))];
      const seen = rates.map((offered) => points.filter((point) => point.offered_per_second === offered).map((point) => point.slo_percentile_ns).sort((a, b) => a - b));
      return [rates, seen.map((values) => values[Math.floor((values.length - 1) / 2)])];
    };
    const columns = uPlot.join(chart.lines.map((one) => middles(one.points)));
    const tried = chart.lines.map((one) => one.points.map((point) => point.slo_percentile_ns));
    const range = bounds(tried, chart.limit_ns);
    const rates = columns[0].filter((value) => value > 0).concat(chart.target_per_second);
    const reach = [Math.min(...rates) / 1.25, Math.max(...rates) * 1.25];
    const lines = (plot) => context(plot, (ctx, box, pixel) => {
      const y = plot.valToPos(chart.limit_ns, "y", true);
      const x = plot.valToPos(chart.target_per_second, "x", true);
      ctx.setLineDash([3 * pixel, 3 * pixel]);
      ctx.strokeStyle = css("limit");
      ctx.beginPath(); ctx.moveTo(box.left, y); ctx.lineTo(box.left + box.width, y); ctx.stroke();
      ctx.strokeStyle = css("soft");
      ctx.beginPath(); ctx.moveTo(x, box.top); ctx.lineTo(x, box.top + box.height); ctx.stroke();
    });
    const labels = (plot) => context(plot, (ctx, box, pixel) => {
      const x = plot.valToPos(chart.target_per_second, "x", true) + 6 * pixel;
      const target = "target " + rate(chart.target_per_second);
      const width = ctx.measureText(target).width;
      const fits = x + width <= box.left + box.width;
      legible(ctx, target, fits ? x : x - width - 12 * pixel, box.top + 12 * pixel, css("soft"), pixel);
      const limit = "objective " + chart.percentile + " ≤ " + duration(chart.limit_ns);
      legible(ctx, limit, box.left + 6 * pixel, plot.valToPos(chart.limit_ns, "y", true) - 6 * pixel, css("limit"), pixel);
    });
    const marks = (plot) => context(plot, (ctx, _, pixel) => chart.lines.forEach((one) => one.points.forEach((point) => {
      const x = plot.valToPos(point.offered_per_second, "x", true);
      const y = plot.valToPos(point.slo_percentile_ns, "y", true);
      ctx.strokeStyle = ctx.fillStyle = css(one.durability);
      ctx.lineWidth = 2 * pixel;
      ctx.beginPath();
      if (!point.rejection) { ctx.arc(x, y, 4 * pixel, 0, 2 * Math.PI); ctx.fill(); return; }
      const arm = 4.5 * pixel;
      ctx.moveTo(x - arm, y - arm); ctx.lineTo(x + arm, y + arm); ctx.moveTo(x - arm, y + arm); ctx.lineTo(x + arm, y - arm); ctx.stroke();
    })));
    const describe = (plot, index) => {
      const at = plot.data[0][index];
      return ["near " + rate(at) + " offered", ...chart.lines.flatMap((one) => {
        const point = one.points.reduce((best, next) => (Math.abs(Math.log(next.offered_per_second / at)) < Math.abs(Math.log(best.offered_per_second / at)) ? next : best));
        if (Math.abs(Math.log(point.offered_per_second / at)) > 0.25) return [];
        return [NAMES[one.durability] + ": " + rate(point.achieved_per_second) + " of " + rate(point.offered_per_second) + " at " + chart.percentile + " " + duration(point.slo_percentile_ns) + (point.rejection ? ", not met" : ", met")];
      })];
    };
    draw("probe-chart", 360, (width) => [{
      scales: { x: { time: false, distr: 3, range: reach }, y: { distr: 3, range } },
      axes: [
        axis({ size: 30, label: "commands per second offered", splits: () => logTicks(...reach, width - 100, 56), values: (_, ticks) => ticks.map(grouped), filter: (_, ticks) => ticks }),
        latencyAxis(chart.percentile + " of " + chart.command, range, 360),
      ],
      series: [{}, ...chart.lines.map((one) => line(one.durability, { spanGaps: true }))],
      cursor: { points: { show: false } },
      hooks: { drawAxes: [lines], draw: [marks, labels] },
      plugins: [tooltip(describe)],
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

    const throughput = table("commands_per_second");
    const top = Math.max(...throughput.slice(1).flat().filter((value) => value != null)) * 1.12 || 1;
    draw("series-rate-chart", 190, () => [{
      scales: { x, y: { range: [0, top] } },
      axes: [time, axis({ label: "commands/s", size: 62, values: (_, ticks) => ticks.map(grouped) })],
      series: [{}, ...chart.lines.map((one) => line(one.durability, { width: 1.75 }))],
      cursor: { sync }, hooks: { drawClear: [stalls], drawAxes: [rounds(false)] },
      plugins: [tooltip((plot, index) => [digits(plot.data[0][index]) + " s", ...chart.lines.flatMap((one, place) => {
        const value = at(plot, index, place + 1);
        return value == null ? [] : [NAMES[one.durability] + ": " + rate(value)];
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
    const shows_room = chart.usable_bytes < 4 * grown;
    const top = 1.12 * (shows_room ? Math.max(grown, chart.usable_bytes) : grown);
    const unit = 1024 ** Math.floor(Math.log(top) / Math.log(1024));
    const marks = (plot) => context(plot, (ctx, box, pixel) => {
      ctx.setLineDash([3 * pixel, 3 * pixel]);
      if (shows_room) {
        const y = plot.valToPos(chart.usable_bytes, "y", true);
        ctx.strokeStyle = css("limit");
        ctx.beginPath(); ctx.moveTo(box.left, y); ctx.lineTo(box.left + box.width, y); ctx.stroke();
        legible(ctx, "room on the disk: " + size(chart.usable_bytes), box.left + 6 * pixel, y - 6 * pixel, css("limit"), pixel);
        ctx.setLineDash([3 * pixel, 3 * pixel]);
      }
      const full = reached(chart.at_seconds, chart.expected_bytes, chart.usable_bytes);
      if (full != null && chart.full_on) {
        const x = plot.valToPos(full, "x", true);
        ctx.lineWidth = 1.5 * pixel;
        ctx.strokeStyle = css("soft");
        ctx.beginPath(); ctx.moveTo(x, box.top); ctx.lineTo(x, box.top + box.height); ctx.stroke();
        const text = "full on " + chart.full_on;
        legible(ctx, text, x - ctx.measureText(text).width - 6 * pixel, box.top + box.height - 8 * pixel, css("soft"), pixel);
      }
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
      ctx.setLineDash([3 * pixel, 3 * pixel]);
      const y = plot.valToPos(chart.required_per_second, "y", true);
      ctx.strokeStyle = css("limit");
      ctx.beginPath(); ctx.moveTo(box.left, y); ctx.lineTo(box.left + box.width, y); ctx.stroke();
      legible(ctx, "required: " + rate(chart.required_per_second), box.left + 6 * pixel, y - 6 * pixel, css("limit"), pixel);
      marks.forEach(([name, bytes], index) => {
        const x = plot.valToPos(bytes, "x", true);
        ctx.setLineDash([3 * pixel, 3 * pixel]);
        ctx.strokeStyle = css("soft");
        ctx.beginPath(); ctx.moveTo(x, box.top); ctx.lineTo(x, box.top + box.height); ctx.stroke();
        const width = ctx.measureText(name).width;
        const right = x + width + 12 * pixel > box.left + box.width;
        legible(ctx, name, right ? x - width - 6 * pixel : x + 6 * pixel, box.top + (14 + 16 * (index % 3)) * pixel, css("soft"), pixel);
      });
      ctx.setLineDash([]);
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
  const all = () => { sizes(); curve(); probes(); series(); scaling(); growth(); };
  document.getElementById("curve-select")?.addEventListener("change", curve);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    printing = true;
    folded = [...document.querySelectorAll("details:not([open], .terms)")];
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
})();
