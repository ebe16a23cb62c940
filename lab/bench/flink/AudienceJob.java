import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * Counts, watched time and distinct viewers per content and 5 s of event time, from a file of one JSON event a line.
 * Parallelism 1, heap state, no checkpoints, reused objects: as quick as Flink can be, and nothing is durable.
 *
 * Arguments: FILE ROUNDS ROWS. Runs the job ROUNDS times in this JVM, so that the later rounds are compiled code;
 * prints each round's seconds from the first line read to the last row out, and writes the last round's rows to ROWS.
 */
public final class AudienceJob {
  static final JsonFactory JSON = new JsonFactory();
  static final List<String> ROWS = Collections.synchronizedList(new ArrayList<>());
  static volatile long firstLineAt;
  static volatile long lastRowAt;

  /** What the windows need of an event; a Flink POJO. */
  public static final class Event {
    public String content;
    public String viewer;
    public long timestamp;
    public long watched;

    public Event() {}
  }

  /** Count, sum and the set of viewers of one window. */
  public static final class Tally {
    long events;
    long watched;
    final HashSet<String> viewers = new HashSet<>();
  }

  static Event parse(String line) throws IOException {
    if (firstLineAt == 0) {
      firstLineAt = System.nanoTime();
    }
    Event event = new Event();
    try (JsonParser parser = JSON.createParser(line)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "content_id" -> event.content = parser.getText();
          case "viewer_id" -> event.viewer = parser.getText();
          case "event_timestamp" -> event.timestamp = parser.getLongValue();
          case "watched_ms" -> event.watched = parser.getLongValue();
          default -> parser.skipChildren();
        }
      }
    }
    return event;
  }

  static final class Count implements AggregateFunction<Event, Tally, Tally> {
    @Override
    public Tally createAccumulator() {
      return new Tally();
    }

    @Override
    public Tally add(Event event, Tally tally) {
      tally.events++;
      tally.watched += event.watched;
      tally.viewers.add(event.viewer);
      return tally;
    }

    @Override
    public Tally getResult(Tally tally) {
      return tally;
    }

    @Override
    public Tally merge(Tally one, Tally other) {
      one.events += other.events;
      one.watched += other.watched;
      one.viewers.addAll(other.viewers);
      return one;
    }
  }

  static final class Row extends ProcessWindowFunction<Tally, String, String, TimeWindow> {
    @Override
    public void process(String content, Context context, Iterable<Tally> tallies, Collector<String> out) {
      Tally tally = tallies.iterator().next();
      long start = context.window().getStart();
      String row = content + "," + start + "," + tally.events + "," + tally.watched + "," + tally.viewers.size();
      ROWS.add(row);
      lastRowAt = System.nanoTime();
      out.collect(row);
    }
  }

  static double run(String file) throws Exception {
    ROWS.clear();
    firstLineAt = 0;
    Configuration configuration = new Configuration();
    configuration.set(TaskManagerOptions.NUM_TASK_SLOTS, 1);
    var environment = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
    environment.getConfig().enableObjectReuse();
    // A body's events may be a minute apart; the windows stay open until all have been read.
    var watermarks =
        WatermarkStrategy.<Event>forBoundedOutOfOrderness(Duration.ofMinutes(2))
            .withTimestampAssigner((event, ignored) -> event.timestamp);
    var source = FileSource.forRecordStreamFormat(new TextLineInputFormat(), new Path(file)).build();
    environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "lines")
        .map(AudienceJob::parse)
        .returns(Event.class)
        .assignTimestampsAndWatermarks(watermarks)
        .keyBy(event -> event.content)
        .window(TumblingEventTimeWindows.of(Duration.ofSeconds(5)))
        .aggregate(new Count(), new Row())
        .sinkTo(new DiscardingSink<>());
    environment.execute("audience");
    return (lastRowAt - firstLineAt) / 1e9;
  }

  public static void main(String[] arguments) throws Exception {
    for (int round = 0; round < Integer.parseInt(arguments[1]); round++) {
      System.out.println(run(arguments[0]));
    }
    try (PrintWriter rows = new PrintWriter(arguments[2])) {
      ROWS.forEach(rows::println);
    }
  }
}
