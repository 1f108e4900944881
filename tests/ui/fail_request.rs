use bowline::Request;

#[derive(Request)]
struct Unanswered;

#[derive(Request)]
#[request(response)]
struct NoType;

#[derive(Request)]
#[request(response = u8, answer = u8)]
struct Unknown;

#[derive(Request)]
#[request(response = u8)]
struct OnField {
    #[request(response = u8)]
    field: u8,
    #[request(answer = u8)]
    other: u8,
}

#[derive(Request)]
#[request(response = u8)]
#[request(response = u16)]
struct Twice;

struct Untold;

#[derive(Request)]
#[request(response = Untold)]
struct AnswerThatCannotTravel;

fn asks<T: Request>() {}

fn main() {
    asks::<Unanswered>();
    asks::<NoType>();
    asks::<Unknown>();
    asks::<OnField>();
    asks::<Twice>();
}
